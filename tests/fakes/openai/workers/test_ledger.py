"""What is remembered of a worker's calls."""

from __future__ import annotations

from typing import Any

from harness.core.timeline import event_from_builtins
from harness.fakes.openai.workers.ledger import Ledger


def call(name: str, **changes: Any) -> dict[str, Any]:
    began = {"kind": "call-started", "at": 0.0, "side": "upstream", "call": name, "scenario": ""}
    began |= {"started_at": "2026-01-01T00:00:00.000Z", "origin": 5.0, "seed": 0, "ufrag": name}
    shown = {"id": name, "ufrag": name, "state": "live", "reason": "", "started_at": 5.0, "ended_at": None}
    return shown | {"events": [began]} | changes


def over(name: str, reason: str, at: float = 7.0) -> dict[str, Any]:
    ended = call(name, state="ended", reason=reason, ended_at=at)
    return {field: value for field, value in ended.items() if field != "events"}


def test_an_ended_call_keeps_how_it_began() -> None:
    """And says why it ended, and when."""
    ledger = Ledger(10)
    ledger.begun(call("a"))
    assert ledger.live == 1
    ledger.ended(over("a", "hang-up"))
    assert ledger.live == 0
    [shown] = ledger.show(events=True)
    assert shown["reason"] == "hang-up"
    started, ended = [event_from_builtins(event) for event in shown["events"]]
    assert type(started).__name__ == "CallStarted"
    assert (ended.at, getattr(ended, "reason", None)) == (2.0, "hang-up")
    assert "events" not in ledger.show(events=False)[0]


def test_a_call_that_never_began_may_end() -> None:
    """One that was refused before its offer was looked at."""
    ledger = Ledger(10)
    ledger.ended(over("a", "refused-400"))
    assert [c["reason"] for c in ledger.show(events=False)] == ["refused-400"]


def test_live_calls_are_lost_and_ended_ones_stay() -> None:
    """When the worker dies; telling it twice changes nothing."""
    ledger = Ledger(10)
    ledger.begun(call("a"))
    ledger.ended(over("a", "hang-up"))
    ledger.begun(call("b"))
    for now in (9.0, 11.0):
        ledger.all_lost(now)
        shown = {c["id"]: (c["state"], c["reason"], c["ended_at"]) for c in ledger.show(events=False)}
        assert shown == {"a": ("ended", "hang-up", 7.0), "b": ("ended", "worker-lost", 9.0)}


def test_only_the_latest_ended_are_kept() -> None:
    """And none after a reset."""
    ledger = Ledger(2)
    for name in "abc":
        ledger.begun(call(name))
        ledger.ended(over(name, "hang-up"))
    assert [c["id"] for c in ledger.show(events=False)] == ["b", "c"]
    ledger.forget_ended()
    assert ledger.show(events=False) == []
