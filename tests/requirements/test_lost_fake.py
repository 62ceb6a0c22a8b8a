"""What a relay does once the fake behind it is gone says nothing of the relay."""

from __future__ import annotations

import pytest

from harness.core.events import UpstreamUnavailable
from harness.requirements import REGISTRY, Outcome, judge
from tests.requirements import signaling_cases
from tests.support.timelines import timeline_of


@pytest.mark.parametrize("case", ["relay_fails", "relay_drops_the_connection", "relay_wants_another_dialect"])
def test_what_a_relay_says_without_its_fake_is_not_held_against_it(case: str) -> None:
    events = [e for e in getattr(signaling_cases, case)() if e.side == "caller"]
    gone = [*events, UpstreamUnavailable(at=9.0, reason="connection refused")]
    verdicts = {v.id: v for v in judge([timeline_of(gone)], REGISTRY)}
    refused = case == "relay_wants_another_dialect"  # which needs no upstream
    found = verdicts["signaling.offer-accepted"]
    assert found.outcome == (Outcome.FAILED if refused else Outcome.INCONCLUSIVE)
    assert refused or "connection refused" in found.explanation
