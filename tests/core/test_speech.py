from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.core.events import Event, MicrophoneChanged, UtteranceEnded, UtteranceStarted
from harness.core.speech import Interval, common, muted_speech, utterances, without
from harness.core.timeline import Timeline
from tests.support.editing import a, changed, told
from tests.support.timelines import SESSION, server, timeline_of, utterance


def said(*events: Event) -> list[tuple[float, float]]:
    return [(u.start, u.end) for u in utterances(timeline_of(events))]


def test_speech_is_where_the_clip_says_from_where_it_began() -> None:
    assert said(*utterance(1.0)) == [(1.25, 3.25)]


def test_a_pause_longer_than_the_silence_makes_two_utterances() -> None:
    speech = ((200, 1200), (2400, 3000))
    assert said(*utterance(1.0, speech=speech, ms=3200)) == [(1.2, 2.2), (3.4, 4.0)]


def test_a_shorter_pause_does_not() -> None:
    (found,) = utterances(timeline_of(utterance(1.0, speech=((200, 1200), (1500, 3000)), ms=3200)))
    assert (found.start, found.end, found.most) == (1.2, 4.0, 1)


def test_a_pause_about_as_long_as_the_silence_leaves_it_open() -> None:
    """A detector needs the whole silence, and sees speech end a little late."""
    (found,) = utterances(timeline_of(utterance(1.0, speech=((200, 1200), (1750, 3000)), ms=3200)))
    assert found.most == 2


def test_the_silence_is_that_of_the_session_in_force() -> None:
    def patient(event: dict[str, dict[str, dict[str, dict[str, dict[str, int]]]]]) -> None:
        event["session"]["audio"]["input"]["turn_detection"]["silence_duration_ms"] = 2000

    events = [*utterance(1.0, speech=((200, 1200), (2400, 3000)), ms=3200)]
    told_so = told([server(0.4, "session.created", session=SESSION)], "session.created", patient)
    assert said(*told_so, *events) == [(1.2, 4.0)]


def test_clips_in_quick_succession_are_one_utterance() -> None:
    (found,) = utterances(timeline_of([*utterance(1.0, "one"), *utterance(3.3, "two")]))
    assert found.name == "one + two"


def test_what_is_said_while_muted_is_not_heard() -> None:
    events = [MicrophoneChanged(at=0.5, muted=True), *utterance(1.0)]
    assert said(*events) == []
    assert muted_speech(timeline_of(events)) == [(1.25, 3.25)]


def test_muting_in_the_middle_cuts_speech_there() -> None:
    events = [*utterance(1.0), MicrophoneChanged(at=2.0, muted=True), MicrophoneChanged(at=2.4, muted=False)]
    (found,) = utterances(timeline_of(events))
    assert found.parts == ((1.25, 2.0), (2.4, 3.25))
    assert muted_speech(timeline_of(events)) == [(2.0, 2.4)]


def test_a_clip_begun_while_muted_is_muted_as_a_whole() -> None:
    events = changed(utterance(1.0), a(UtteranceStarted), muted=True)
    assert said(*events) == []
    assert muted_speech(timeline_of(events)) == [(1.25, 3.25)]


def test_a_clip_that_was_broken_off_ends_there() -> None:
    events = [utterance(1.0)[0], UtteranceEnded(at=2.0, clip="es-f-order", cut=True)]
    assert said(*events) == [(1.25, 2.0)]


def test_a_clip_said_again_is_not_cut_by_its_second_end() -> None:
    events = [*utterance(1.0), utterance(9.0)[0], UtteranceEnded(at=10.0, clip="es-f-order", cut=True)]
    assert said(*events) == [(1.25, 3.25), (9.25, 10.0)]


def test_nobody_says_nothing() -> None:
    assert utterances(Timeline()) == []


intervals = st.tuples(st.integers(0, 100), st.integers(1, 40)).map(lambda t: (float(t[0]), float(sum(t))))


@given(intervals, st.lists(intervals, max_size=5))
def test_what_is_common_and_what_is_left_make_the_whole(whole: Interval, holes: list[Interval]) -> None:
    left = without(whole, holes)
    covered = {x for start, end in holes for x in range(int(start), int(end))}
    inside = set(range(int(whole[0]), int(whole[1])))
    assert {x for start, end in left for x in range(int(start), int(end))} == inside - covered
    assert {
        x for start, end in common([whole], holes) for x in range(int(start), int(end))
    } == inside & covered


def test_intervals_that_only_touch_have_nothing_in_common() -> None:
    assert common([(0.0, 1.0)], [(1.0, 2.0)]) == []
    assert without((0.0, 1.0), [(1.0, 2.0)]) == [(0.0, 1.0)]
