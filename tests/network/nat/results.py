"""What came of a call: for the comparison with theory, and for the page."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.events import PairSelected
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, judge
from tests.network.nat.running import Seen
from tests.network.nat.theory import Expected

# What the network decides. How a reply sounds on a machine that makes many calls at once is another matter.
AREAS = ("signaling", "connectivity", "session", "lifecycle", "security")
BAD = (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)


@dataclass(frozen=True)
class Result:
    """The findings, each `REQUIREMENT: CAUSE`, from the caller's end alone and with both ends seen."""

    connected: bool
    relayed: bool
    alone: tuple[str, ...]
    both_ends: tuple[str, ...]

    @classmethod
    def of(cls, seen: Seen) -> Result:
        """Judge a call."""
        pair = seen.alone.first(PairSelected)
        relayed = pair is not None and pair.local.startswith("relay ")
        return cls(pair is not None, relayed, _findings(seen.alone), _findings(seen.both_ends))

    @classmethod
    def due(cls, expected: Expected, *, relayed: bool) -> Result:
        """What theory asks for; where both ways are open, ICE may take either, and `relayed` says which."""
        gathering = (f"connectivity.gathering: {expected.gathering}",) if expected.gathering else ()
        alone, both_ends = (
            (f"connectivity.ice-connects: {cause}",) if cause else ()
            for cause in (expected.alone, expected.both_ends)
        )
        either = expected.connects and not expected.relayed
        return cls(
            expected.connects,
            relayed if either else expected.relayed,
            gathering + alone,
            gathering + both_ends,
        )


def _findings(timeline: Timeline) -> tuple[str, ...]:
    verdicts = judge([timeline], [r for r in REGISTRY if r.area in AREAS])
    return tuple(f"{v.id}: {v.cause}" for v in verdicts if v.outcome in BAD)
