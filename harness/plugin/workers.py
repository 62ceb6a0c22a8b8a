"""Under pytest-xdist each worker would place every call, and bill it: so none does, and one line says why."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.errors import UsageError

KEY = "voice_refused"
REFUSED = UsageError(
    "-n shares no calls out: each of its workers would place all of them",
    "leave it out for scenarios, or say -n 0; --concurrency says how many calls are made side by side",
)
STATUS: pytest.StashKey[bool] = pytest.StashKey()


def refuse(config: pytest.Config) -> None:
    """In a worker: have the one that started it say so."""
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]  # set by xdist
    output[KEY] = True


def note(node: Any) -> None:
    """In the one that started it, of a worker that is done."""
    if (getattr(node, "workeroutput", None) or {}).get(KEY):
        node.config.stash[STATUS] = True


def is_refused(config: pytest.Config) -> bool:
    """Whether a worker had scenarios."""
    return config.stash.get(STATUS, False)
