"""A run as results.json and the samples.json beside it hold it, read back."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from harness.core.errors import UsageError

RESULTS = "results.json"
SAMPLES = "samples.json"
SCHEMA = 2
READABLE = (1, 2)  # the first said `mend` for `fix`, and named neither route nor caller


class SavedTarget(msgspec.Struct, frozen=True):
    """What was called, and how much of it was seen."""

    url: str
    dialect: str
    mode: str


class SavedVerdict(msgspec.Struct, frozen=True):
    """One requirement's outcome on one call."""

    id: str
    level: str
    outcome: str
    cause: str | None
    scenario: str
    explanation: str = ""
    fix: str = ""


class SavedMeasurement(msgspec.Struct, frozen=True):
    """A measured quantity; percentiles are None where too little was measured."""

    unit: str
    count: int
    p50: float | None
    p95: float | None
    max: float | None


class SavedHarness(msgspec.Struct, frozen=True):
    """Which harness made the run."""

    version: str


class SavedSamples(msgspec.Struct, frozen=True):
    """samples.json: how the run was made, and every value measured, by name."""

    schema: int
    conditions: dict[str, str] = {}
    samples: dict[str, tuple[float, ...]] = {}


class SavedRun(msgspec.Struct, frozen=True):
    """results.json, schema 1 or 2, as far as programs need it. `more` is None without a samples.json."""

    schema: int
    harness: SavedHarness
    target: SavedTarget
    seed: int
    started_at: str
    verdict: str
    requirements: tuple[SavedVerdict, ...]
    measurements: dict[str, SavedMeasurement]
    more: SavedSamples | None = None

    @property
    def conditions(self) -> dict[str, str]:
        return self.more.conditions if self.more else {}

    @property
    def samples(self) -> dict[str, tuple[float, ...]]:
        return self.more.samples if self.more else {}


Read = TypeVar("Read", SavedRun, SavedSamples)


def read_run(path: Path) -> SavedRun:
    """Read a results.json, or the one in a directory, and its samples. Raises UsageError naming it."""
    try:
        file = path / RESULTS if path.is_dir() else path
    except (OSError, ValueError) as error:  # too long a name, or none at all
        raise UsageError(f"{path} cannot be read: {error}", f"give a {RESULTS} that a run wrote") from None
    run = _read(file, SavedRun)
    samples = file.with_name(SAMPLES)
    return msgspec.structs.replace(run, more=_read(samples, SavedSamples) if samples.exists() else None)


def _read(file: Path, kind: type[Read]) -> Read:
    remedy = f"give a {RESULTS} that a run wrote, or the directory that holds it"
    try:
        found = msgspec.json.decode(file.read_bytes(), type=kind)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}", remedy) from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{file} was not written by a run: {error}", remedy) from error
    if found.schema not in READABLE:
        raise UsageError(
            f"{file} has schema {found.schema}, and this harness reads {' and '.join(map(str, READABLE))}",
            "compare runs that were made with the same harness",
        )
    return found


def judged_before(directory: Path) -> frozenset[tuple[str, str]]:
    """(scenario, requirement) that the run in a directory judged; none where there is no run to be read."""
    try:
        found = read_run(directory).requirements
    except UsageError:
        return frozenset()
    return frozenset((v.scenario, v.id) for v in found if v.outcome not in ("not-applicable", "inconclusive"))
