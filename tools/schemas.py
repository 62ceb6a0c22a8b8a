"""The JSON Schemas in `harness/report/schemas/`, made from the types that read and write: `make docs`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.config.targets_file import TargetsFile
from harness.report.contract import Results
from harness.report.schemas import NAMES

FOLDER = Path(__file__).parents[1] / "harness/report/schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Mapping[str, dict[str, Any]]:
    """Schema by the document that it is of."""
    return {
        "results.json": {"$schema": DIALECT, "title": "results.json"} | msgspec.json.schema(Results),
        "harness.toml": {"$schema": DIALECT}
        | TargetsFile.model_json_schema()
        | {"title": "harness.toml", "description": "The targets of a voice relay harness: docs/targets.md."},
    }


def texts() -> Mapping[str, str]:
    """File name → what stands in it."""
    return {
        NAMES[name]: json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }


def write() -> None:
    """Write them all."""
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
