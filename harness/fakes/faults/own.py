"""Faults of one's own: Python files that HARNESS_FAULTS names are run once, and register what they have."""

from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from harness.config.settings import read_settings
from harness.core.errors import UsageError


def load_own_faults() -> None:
    """Run each file, in every process that has a fake or lists faults. Raises UsageError naming the file."""
    for name in filter(None, read_settings().faults.split(os.pathsep)):
        path = Path(name).resolve()
        module = f"own_faults_{path.stem}"
        if module in sys.modules:
            continue
        spec = spec_from_file_location(module, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise UsageError(
                f"HARNESS_FAULTS: there is no Python file {path}", "give its path, or leave it unset"
            )
        sys.modules[module] = found = module_from_spec(spec)
        try:
            spec.loader.exec_module(found)
        except Exception as error:
            del sys.modules[module]
            raise UsageError(
                f"HARNESS_FAULTS: {path} cannot be run: {type(error).__name__}: {error}",
                "examples/own-repository has one that can",
            ) from error
