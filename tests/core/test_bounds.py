"""What a target sends is sized, and whoever reads it takes time in proportion."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from harness.core.bounds import (
    LONGEST_LINE,
    MOST_CANDIDATES,
    MOST_SDP_BYTES,
    MOST_SDP_LINES,
    MOST_SECTIONS,
    EventAllowance,
)
from harness.core.caller_end import SdpUnusableError
from harness.core.errors import UsageError
from harness.core.events import Event, EventInvalid, ServerEvent
from harness.core.sdp import parse_sdp
from harness.core.timeline import Timeline
from harness.core.turns import turns
from harness.peer.answers import check_answer
from harness.peer.remote import Remote
from harness.requirements import REGISTRY, Outcome, judge
from tests.support.timelines import ANSWER, OFFER, healthy_events, server, timeline_of

FLOODS = {
    "speech": (
        ("input_audio_buffer.speech_started", {"audio_start_ms": 100, "item_id": "#"}),
        ("input_audio_buffer.speech_stopped", {"audio_end_ms": 900, "item_id": "#"}),
        ("input_audio_buffer.committed", {"item_id": "#"}),
    ),
    "nameless speech": (
        ("input_audio_buffer.speech_started", {"audio_start_ms": 100}),
        ("input_audio_buffer.speech_stopped", {}),
    ),
    "responses": (
        ("response.created", {"response": {"id": "#"}}),
        ("response.done", {"response": {"id": "#"}}),
    ),
    "sessions": (
        ("session.updated", {"session": {"instructions": "#"}}),
        ("error", {"error": {"message": "m"}}),
    ),
}


def filled(value: object, n: int) -> object:
    if isinstance(value, dict):
        return {key: filled(item, n) for key, item in value.items()}
    return f"item_{n}" if value == "#" else value


def flooded(name: str, number: int) -> Timeline:
    kinds = FLOODS[name]
    events: list[Event] = healthy_events("black-box")
    for n in range(number):
        type_, body = kinds[n % len(kinds)]
        fields = {key: filled(value, n // len(kinds)) for key, value in body.items()}
        events.append(server(0.6 + 7 * n / number, type_, **fields))
    return timeline_of(events)


def work(name: str, number: int) -> tuple[int, float]:
    """Looks at events, and CPU seconds, of judging."""
    timeline = flooded(name, number)
    began = time.process_time()
    verdicts = judge([timeline], REGISTRY)
    assert not [v for v in verdicts if v.outcome == Outcome.ERROR], name
    return timeline.looked, time.process_time() - began


@pytest.mark.parametrize("name", FLOODS)
def test_judging_a_flood_takes_looks_in_proportion(name: str) -> None:
    few, _ = work(name, 500)
    many, seconds = work(name, 4000)
    assert many < 12 * few, (few, many)  # eight times as many events; squares would be 64
    assert seconds < 20  # a hang, on any machine


def test_turns_of_a_hundred_thousand_events_are_found() -> None:
    began = time.process_time()
    found = turns(flooded("speech", 100_000))
    assert len(found) > 30_000
    assert time.process_time() - began < 60  # squares would be hours


@pytest.mark.parametrize("make", [lambda e: e, lambda e: e[::-1]], ids=["in order", "in reverse"])
def test_a_timeline_is_made_in_any_order(make: Callable[[list[ServerEvent]], list[ServerEvent]]) -> None:
    events = [server(n / 1000, "error", error={}) for n in range(20_000)]
    assert list(Timeline(make(events))) == events


def test_extending_keeps_the_order_of_a_moment_and_tells_who_listens() -> None:
    timeline = Timeline([server(1.0, "a"), server(3.0, "b")])
    heard: list[Event] = []
    late = [server(2.0, "c"), server(0.5, "d")]
    timeline.extend(late)
    timeline.listen(heard.append)
    timeline.extend([server(1.5, "e"), server(3.0, "f")])
    assert [e.type for e in timeline.server_events()] == ["d", "a", "e", "c", "b", "f"]
    assert [e.type for e in timeline.server_events("c")] == ["c"]
    assert len(heard) == 2


def test_a_call_may_send_so_much_and_is_told_once() -> None:
    allowance = EventAllowance(events=2, size=10)
    assert [allowance.takes(4), allowance.takes(4), allowance.takes(1), allowance.takes(1)] == [
        True,
        True,
        False,
        False,
    ]
    assert EventAllowance(events=9, size=10).takes(11) is False


def test_a_timeline_from_a_file_keeps_no_more_events_than_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.core.timeline.EventAllowance", lambda: EventAllowance(events=5, size=10**6))
    lines = timeline_of(healthy_events()).to_jsonl().encode().split(b"\n")
    read = Timeline.from_lines(lines)
    assert len(read.server_events()) <= 5
    (cut,) = read.all(EventInvalid)
    assert "from here on they are not recorded" in cut.problem


def test_a_line_that_no_run_writes_is_refused() -> None:
    with pytest.raises(UsageError, match="line 2 of the timeline has over 4 MiB"):
        Timeline.from_lines([healthy_line(), b'"' + b"x" * (LONGEST_LINE + 1)])


def healthy_line() -> bytes:
    return timeline_of(healthy_events()).to_jsonl().encode().partition(b"\n")[0]


LARGE = {
    "bytes": (ANSWER + "a=" + "x" * MOST_SDP_BYTES, "characters, where"),
    "lines": (ANSWER + "a=x\r\n" * MOST_SDP_LINES, "lines, where"),
    "sections": (ANSWER + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * MOST_SECTIONS, "media sections, where"),
}


@pytest.mark.parametrize("what", LARGE)
def test_an_answer_of_no_end_is_refused_and_named(what: str) -> None:
    text, problem = LARGE[what]
    assert problem in parse_sdp(text).excess
    with pytest.raises(SdpUnusableError, match=problem):
        check_answer(parse_sdp(text), parse_sdp(OFFER))


def test_attributes_of_the_session_are_read_once_for_all_sections() -> None:
    text = ANSWER.replace("s=-\r\n", "s=-\r\n" + "".join(f"a=x{n}:y\r\n" for n in range(5000)))
    description = parse_sdp(text + "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n" * 50)
    assert len({id(section.of_session) for section in description.sections}) == 1
    assert description.sections[-1].attribute("x4999") == "y"


def test_of_thousands_of_candidates_the_best_are_checked() -> None:
    lines = "".join(f"a=candidate:{n} 1 udp {n} 192.168.7.30 3478 typ host\r\n" for n in range(3000))
    remote = Remote.from_sdp(parse_sdp(ANSWER.replace("a=end-of-candidates\r\n", lines)))
    assert len(remote.candidates) == MOST_CANDIDATES
    assert max(c.priority for c in remote.candidates) == 2130706431
