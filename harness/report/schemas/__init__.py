"""The JSON Schemas of what people and programs write and read: made by `make docs`, part of the package."""

from __future__ import annotations

from importlib.resources import files

NAMES = {"results.json": "results.schema.json", "harness.toml": "harness.schema.json"}


def schema_text(document: str) -> str:
    """The JSON Schema of one of `NAMES`, as text."""
    return files(__name__).joinpath(NAMES[document]).read_text(encoding="utf-8")
