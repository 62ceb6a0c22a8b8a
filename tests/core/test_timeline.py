import json
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.core.events import (
    CallStarted,
    ClientEvent,
    Event,
    MicrophoneChanged,
    Packet,
    PacketsReceived,
    ServerEvent,
    Side,
    StateChanged,
    StepEnded,
    StepStarted,
)
from harness.core.timeline import Timeline, event_from_builtins, event_to_builtins
from tests.core.arbitrary import KINDS, any_events, events, moments


def api_event(at: float, name: str) -> ServerEvent:
    return ServerEvent(at=at, event={"type": name})


def step(at: float, name: str = "say", side: Side = "caller") -> StepStarted:
    return StepStarted(at=at, step=name, side=side)


def started(event: Event) -> bool:
    return isinstance(event, StepStarted)


def ended(event: Event) -> bool:
    return isinstance(event, StepEnded)


# --- order ---


@given(times=st.lists(st.integers(0, 20)))
def test_events_are_in_order_of_time_and_then_of_arrival(times: list[int]) -> None:
    arrived = [step(float(at), str(number)) for number, at in enumerate(times)]
    timeline = Timeline(arrived)
    assert list(timeline) == sorted(arrived, key=lambda event: event.at)
    assert len(timeline) == len(times)


def test_a_late_record_finds_its_place_after_those_of_its_moment() -> None:
    timeline = Timeline([step(1.0, "a"), step(2.0, "b"), step(3.0, "c")])
    timeline.append(step(2.0, "late"))
    assert [e.step for e in timeline.all(StepStarted)] == ["a", "b", "late", "c"]


@dataclass
class Listener:
    heard: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.heard.append(event)


def test_a_listener_hears_every_event_from_then_on_until_it_stops() -> None:
    timeline, listener = Timeline([step(1.0)]), Listener()
    stop = timeline.listen(listener)
    later = [step(3.0), step(2.0)]
    for event in later:
        timeline.append(event)
    stop()
    timeline.append(step(4.0))
    assert listener.heard == later


def test_a_listener_may_stop_itself_and_the_others_still_hear() -> None:
    timeline, listener = Timeline(), Listener()
    stops: list[object] = []

    def once(event: Event) -> None:
        stops.append(event)
        stop()

    stop = timeline.listen(once)
    timeline.listen(listener)
    timeline.append(step(1.0))
    timeline.append(step(2.0))
    assert len(stops) == 1
    assert len(listener.heard) == 2


# --- queries ---


def test_a_query_is_for_the_callers_view_unless_told_otherwise() -> None:
    mine, theirs = step(1.0), step(2.0, side="upstream")
    timeline = Timeline([mine, theirs])
    assert timeline.all(StepStarted) == [mine]
    assert timeline.all(StepStarted, side="upstream") == [theirs]
    assert timeline.all(StepStarted, side=None) == [mine, theirs]
    assert timeline.all(StepEnded, side=None) == []
    assert timeline.all(Event, side=None) == [mine, theirs]


def test_a_query_takes_its_start_and_leaves_out_its_end() -> None:
    timeline = Timeline([step(1.0), step(2.0), step(3.0)])
    assert [e.at for e in timeline.all(StepStarted, after=2.0)] == [2.0, 3.0]
    assert [e.at for e in timeline.all(StepStarted, before=2.0)] == [1.0]
    assert [e.at for e in timeline.all(StepStarted, after=1.5, before=3.0)] == [2.0]


@settings(max_examples=30)
@given(recorded=st.lists(any_events, max_size=10), kind=st.sampled_from(KINDS), after=moments, before=moments)
def test_a_query_gives_all_that_fit_in_order(
    recorded: list[Event], kind: type[Event], after: float, before: float
) -> None:
    timeline = Timeline(recorded)
    found = timeline.all(kind, side=None, after=after, before=before)
    assert found == [e for e in timeline if type(e) is kind and after <= e.at < before]
    assert timeline.first(kind, side=None) == next((e for e in timeline if type(e) is kind), None)
    assert timeline.last(kind, side=None) == next((e for e in [*timeline][::-1] if type(e) is kind), None)


def test_first_and_last_obey_the_whole_query() -> None:
    timeline = Timeline([step(1.0, "a"), step(2.0, "b"), step(3.0, "a")])
    assert timeline.first(StepStarted, where=lambda e: e.step == "b") == step(2.0, "b")
    assert timeline.last(StepStarted, before=3.0) == step(2.0, "b")
    assert timeline.last(StepStarted, where=lambda e: e.step == "c") is None
    assert timeline.first(StepStarted, after=9.0) is None


def test_a_layer_reaches_a_state_when_it_first_says_so() -> None:
    first = StateChanged(at=1.0, layer="ice", state="connected")
    timeline = Timeline(
        [
            StateChanged(at=0.5, layer="dtls", state="connected"),
            first,
            StateChanged(at=2.0, layer="ice", state="disconnected"),
            StateChanged(at=3.0, layer="ice", state="connected"),
        ]
    )
    assert timeline.state("ice", "connected") == first
    assert timeline.state("ice", "connected", after=2.0) is not first
    assert timeline.state("ice", "failed") is None


def test_events_of_the_channel_are_found_by_type() -> None:
    created = ServerEvent(at=1.0, event={"type": "session.created"})
    done = ServerEvent(at=3.0, event={"type": "response.done"})
    garbage = ServerEvent(at=2.0, event=None, raw="?")
    update = ClientEvent(at=1.5, event={"type": "session.update"})
    cancel = ClientEvent(at=2.5, event={"type": "response.cancel"})
    timeline = Timeline([created, done, garbage, update, cancel])
    assert timeline.server_events() == [created, garbage, done]
    assert timeline.server_events("response.done", "session.created") == [created, done]
    assert timeline.server_events("response.done", before=3.0) == []
    assert timeline.client_events() == [update, cancel]
    assert timeline.client_events("response.cancel") == [cancel]


def test_packets_of_all_batches_are_in_order_of_arrival() -> None:
    first, second, third = (Packet(at, sequence, 0, 80) for at, sequence in ((1.0, 7), (1.02, 8), (1.01, 9)))
    timeline = Timeline(
        [
            PacketsReceived(at=1.0, ssrc=1, packets=(first, second)),
            PacketsReceived(at=1.01, ssrc=2, packets=(third,)),
        ]
    )
    assert timeline.packets() == [first, third, second]
    assert timeline.packets(where=lambda batch: batch.ssrc == 2) == [third]
    assert Timeline().packets() == []


def test_spans_run_from_a_start_to_the_next_end() -> None:
    timeline = Timeline(
        [
            StepEnded(at=0.5, step="stray"),
            step(1.0),
            step(1.5, "nested"),
            StepEnded(at=2.0, step="say"),
            StepEnded(at=2.5, step="nested"),
            step(2.7, side="upstream"),
            step(3.0),
            StepEnded(at=3.5, step="say", side="upstream"),
        ]
    )
    assert timeline.spans(started, ended) == [(1.0, 2.0), (3.0, None)]
    assert timeline.spans(started, ended, side="upstream") == [(2.7, 3.5)]
    assert Timeline().spans(started, ended) == []


@given(marks=st.lists(st.tuples(st.integers(0, 50), st.booleans())))
def test_spans_lie_one_after_the_other_and_only_the_last_is_open(marks: list[tuple[int, bool]]) -> None:
    timeline = Timeline(MicrophoneChanged(at=float(at), muted=muted) for at, muted in marks)
    spans = timeline.spans(
        lambda e: isinstance(e, MicrophoneChanged) and e.muted,
        lambda e: isinstance(e, MicrophoneChanged) and not e.muted,
    )
    edges = [edge for span in spans for edge in span]
    assert None not in edges[:-1]
    closed = [edge for edge in edges if edge is not None]
    assert closed == sorted(closed)


# --- JSON lines ---


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__struct_config__.tag))
@settings(max_examples=10)
@given(data=st.data())
def test_every_kind_of_event_is_read_back_as_it_was_written(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(kind))
    text = Timeline([event]).to_jsonl()
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert json.loads(text)["kind"] == kind.__struct_config__.tag
    assert list(Timeline.from_jsonl(text)) == [event]
    assert event_from_builtins(json.loads(json.dumps(event_to_builtins(event)))) == event


@settings(max_examples=30)
@given(recorded=st.lists(any_events, min_size=1, max_size=8))
def test_a_timeline_is_read_back_in_its_order(recorded: list[Event]) -> None:
    timeline = Timeline(recorded)
    assert list(Timeline.from_jsonl(timeline.to_jsonl())) == list(timeline)


def test_times_are_written_to_the_microsecond() -> None:
    text = Timeline([step(1.23456789)]).to_jsonl()
    assert json.loads(text)["at"] == 1.234568


def test_line_separators_inside_a_text_do_not_part_lines() -> None:
    event = ServerEvent(at=1.0, event={"type": "x", "text": "a\u2028b\u2029c\x85d\re\nf"})
    assert list(Timeline.from_jsonl(Timeline([event]).to_jsonl())) == [event]


def test_half_a_surrogate_pair_from_the_wire_cannot_keep_a_timeline_from_being_written() -> None:
    event = json.loads(
        r'{"type": "x", "t\udc00": ["a\ud800b", {"deep": "\udfff"}, 7], "whole": "\ud83d\ude00"}'
    )
    text = Timeline([ServerEvent(at=1.0, event=event)]).to_jsonl()
    (read,) = Timeline.from_jsonl(text).server_events()
    assert read.event == {
        "type": "x",
        "t\ufffd": ["a\ufffdb", {"deep": "\ufffd"}, 7],
        "whole": "\N{GRINNING FACE}",
    }


def test_blank_lines_are_passed_over() -> None:
    text = Timeline([step(1.0), step(2.0)]).to_jsonl()
    assert len(Timeline.from_jsonl("\n" + text.replace("\n", "\r\n\r\n") + "  ")) == 2


WHOLE = Timeline([CallStarted(at=0.0, call="c1", scenario="two_turns"), step(1.0, "connect")]).to_jsonl()


@pytest.mark.parametrize(
    "damaged",
    [
        '{"kind":"step-started","at":2.0,"st',
        '{"kind":"step-stopped","at":2.0,"step":"say"}',
        '{"kind":"step-started","step":"say"}',
        '{"kind":"step-started","at":"soon","step":"say"}',
        '{"at":2.0,"step":"say"}',
        '{"kind":"step-started","at":1e999,"step":"say"}',
        "[]",
        "hello",
        "\ud800",
        '{"kind":"server-event","at":2.0,"event":{"x":' + "[" * 100_000 + "]" * 100_000 + "}}",
    ],
    ids=lambda damaged: str(damaged[:50].encode("ascii", "backslashreplace")),
)
def test_a_damaged_line_is_named(damaged: str) -> None:
    with pytest.raises(UsageError, match="line 3 of the timeline cannot be read") as refused:
        Timeline.from_jsonl(WHOLE + damaged + "\n" + WHOLE)
    assert "whole timeline" in refused.value.remedy


@given(cut=st.integers(1, len(WHOLE) - 2))
def test_a_file_cut_off_anywhere_is_refused_unless_the_cut_is_between_lines(cut: int) -> None:
    line_ends = {i for i, c in enumerate(WHOLE) if c == "\n"}
    if cut in line_ends | {i + 1 for i in line_ends}:
        assert len(Timeline.from_jsonl(WHOLE[:cut])) == 1
    else:
        number = WHOLE[:cut].count("\n") + 1
        with pytest.raises(UsageError, match=f"line {number} of the timeline"):
            Timeline.from_jsonl(WHOLE[:cut])


@pytest.mark.parametrize("text", ["", "\n", " \r\n\t\n"])
def test_a_file_without_an_event_is_no_timeline(text: str) -> None:
    with pytest.raises(UsageError, match="the timeline is empty"):
        Timeline.from_jsonl(text)


@given(line=st.text())
def test_whatever_a_line_holds_it_is_read_or_refused(line: str) -> None:
    refused = False
    try:
        timeline = Timeline.from_jsonl(line)
    except UsageError:
        refused = True
    assert refused or len(timeline) > 0


@pytest.mark.parametrize("data", [{}, {"kind": "step-started", "at": 1.0}, {"kind": "nothing", "at": 1.0}])
def test_plain_values_that_are_no_event_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        event_from_builtins(data)


def test_what_is_derived_is_made_once_and_anew_after_another_event() -> None:
    timeline = Timeline()
    made: list[int] = []

    def lengths(of: Timeline) -> list[int]:
        made.append(len(of))
        return [len(of)]

    timeline.derived(lengths).append(99)  # the caller's own copy
    assert timeline.derived(lengths) == [0]
    timeline.append(api_event(1.0, "session.created"))
    assert timeline.derived(lengths) == [1]
    assert made == [0, 1]


@pytest.mark.parametrize("types", [(), ("a",), ("a", "b"), ("c",)])
def test_events_of_the_api_are_found_by_type_as_by_looking_at_each(types: tuple[str, ...]) -> None:
    timeline = Timeline(api_event(at, name) for at, name in ((2.0, "a"), (1.0, "b"), (1.5, "a"), (3.0, "a")))
    found = timeline.server_events(*types, after=1.5, before=3.0)
    assert [(e.at, e.type) for e in found] == [
        pair for pair in ((1.5, "a"), (2.0, "a")) if not types or pair[1] in types
    ]
