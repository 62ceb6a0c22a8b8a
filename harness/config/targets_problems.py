"""What is wrong with a harness.toml, with the line where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.config.targets_file import (
    BeforeCallTable,
    DialectTable,
    IceServerTable,
    PageTable,
    PriceTable,
    TargetsFile,
    TargetTable,
    TokenTable,
    UsageTable,
)
from harness.config.toml_lines import KeyPath, key_lines, nearest_line
from harness.core.errors import UsageError
from harness.core.nearest import meant

NO_KEYS = ("[key]", "[name]", "[table]")  # what pydantic puts among the keys


@dataclass(frozen=True)
class FilePlace:
    """Says where in the file something stands."""

    path: Path
    text: str

    def of(self, key: KeyPath) -> str:
        line = nearest_line(key_lines(self.text), key)
        where = f"{self.path}, line {line}" if line else str(self.path)
        return f"{where}: {'.'.join(map(str, key))}" if key else where


def first_problem(error: ValidationError, place: FilePlace) -> UsageError:
    """What is wrong, at its line, with near matches for an unknown setting; never the value given."""
    problems = error.errors(include_input=False, include_url=False)
    # An unknown key first: it is the likeliest reason for a missing one.
    problem = min(problems, key=lambda p: p["type"] != "extra_forbidden")
    path: KeyPath = tuple(part for part in problem["loc"] if part not in NO_KEYS)
    return UsageError(f"{place.of(path)}: {_what(problem)}", _remedy(problem, path))


def _what(problem: ErrorDetails) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "there is no such setting"
        case "missing":
            return "this must be given"
        case "usage":
            return str(problem["ctx"]["message"])
        case _:
            return problem["msg"][:1].lower() + problem["msg"][1:]


def _remedy(problem: ErrorDetails, path: KeyPath) -> str:
    if problem["type"] == "usage":
        return str(problem["ctx"]["remedy"])
    if problem["type"] != "extra_forbidden":
        return "docs/targets.md shows each setting"
    return meant(str(path[-1]), _known_beside(path))


def _known_beside(path: KeyPath) -> Iterable[str]:
    """The settings of the table that holds an unknown key."""
    if len(path) == 1:
        return TargetsFile.model_fields
    inner: dict[str | int, type[BaseModel]] = {
        "before_call": BeforeCallTable,
        "dialect": DialectTable,
        "page": PageTable,
        "token": TokenTable,
        "ice_servers": IceServerTable,
        "prices": PriceTable,
        "usage": UsageTable,
    }
    return inner.get(path[2], TargetTable).model_fields if len(path) > 3 else TargetTable.model_fields
