"""What is kept of a call: in order, without secrets, and not for ever."""

from __future__ import annotations

from harness.core.clock import ManualClock
from harness.core.events import CallEnded, ChecksCounted, ClientEvent, Event, ServerEvent
from harness.fakes.openai.record import CallRecords, UpstreamRecord

KEY = "sk-secret-0123456789abcdef"


def test_times_count_from_the_start_of_the_call() -> None:
    """And the start is on the monotonic clock that callers of the machine share."""
    clock = ManualClock(100.0)
    record = UpstreamRecord("rtc_1", clock)
    record.begin(ufrag="abcd", offer=b"v=0")
    clock.advance(2.5)
    record.layer("ice", "connected")
    record.end("hang-up")
    assert [event.at for event in record.timeline] == [0.0, 2.5, 2.5]
    assert (record.started_at, record.ended_at) == (100.0, 102.5)
    assert all(event.side == "upstream" for event in record.timeline)


def test_the_first_reason_stands() -> None:
    """An end is an end."""
    record = UpstreamRecord("rtc_1", ManualClock())
    record.end("hang-up")
    record.end("server-stopped")
    assert record.reason == "hang-up"
    assert len(record.timeline.all(CallEnded, side="upstream")) == 1


def test_secrets_are_redacted_in_depth() -> None:
    """The key that came with the call, and whatever looks like one."""
    record = UpstreamRecord("rtc_1", ManualClock(), key=KEY)
    record.faults = {"event-not-json": True}  # nothing that follows is an event of the API
    record.client_event({"type": "session.update", "session": {"instructions": f"{KEY} sk-{'x' * 20}"}})
    record.server_event({"type": "error", "error": {"message": KEY}}, "", 3)
    record.server_event(None, f"{{{KEY}", 3)
    text = record.timeline.to_jsonl()
    assert KEY not in text
    assert "xxxx" not in text
    assert len(record.timeline.all(ClientEvent, side="upstream")) == 1
    assert len(record.timeline.all(ServerEvent, side="upstream")) == 2


def test_an_ended_call_keeps_its_last_words_and_lets_go_of_its_parts() -> None:
    """Statistics stay; what gave them can be forgotten."""
    record = UpstreamRecord("rtc_1", ManualClock())
    figures = {"packets_received": 5.0}
    record.measure = lambda: dict(figures)
    record.end("hang-up")
    figures["packets_received"] = 9.0
    assert record.as_json(events=False)["audio"] == {"packets_received": 5.0}


def test_how_many_checks_came_can_be_told_before_the_call_ends() -> None:
    """A call that never connects lives on while the caller already wants to know why."""
    record = UpstreamRecord("rtc_1", ManualClock())
    received = 3

    def counted() -> list[Event]:
        return [ChecksCounted(at=1.0, side="upstream", sent=0, answered=0, received=received)]

    def told() -> list[int]:
        return [e["received"] for e in record.as_json(events=True)["events"] if e["kind"] == "checks-counted"]

    record.counted = counted
    assert told() == [3]
    received = 7
    record.end("never-connected")
    received = 9
    assert told() == [7]


def test_the_oldest_ended_calls_are_forgotten_and_live_ones_are_not() -> None:
    """However many end."""
    clock = ManualClock()
    records = CallRecords(keep_ended=2)
    made = []
    for number in range(5):
        clock.advance(1.0)
        made.append(UpstreamRecord(f"rtc_{number}", clock))
        records.add(made[-1])
    for record in made[1:]:
        records.end(record, "hang-up")
    assert [record.id for record in records] == ["rtc_0", "rtc_3", "rtc_4"]
    assert [record.id for record in records.live] == ["rtc_0"]
