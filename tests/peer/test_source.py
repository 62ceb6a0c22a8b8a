from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.peer.source import Microphone, SpokenUtterance

SILENCE = [b"quiet"]


def packets(microphone: Microphone, count: int) -> list[bytes | None]:
    return [microphone.next_packet() for _ in range(count)]


async def test_silence_flows_before_and_after_what_is_said() -> None:
    microphone = Microphone(SILENCE)
    assert packets(microphone, 1) == [b"quiet"]
    microphone.say(SpokenUtterance([b"a", b"b"]))
    assert packets(microphone, 4) == [b"a", b"b", b"quiet", b"quiet"]


async def test_an_utterance_tells_its_first_and_its_last_packet() -> None:
    told: list[str] = []
    utterance = SpokenUtterance(
        [b"a", b"b"],
        on_started=lambda: told.append("started"),
        on_ended=lambda cut: told.append(f"ended {cut}"),
    )
    microphone = Microphone(SILENCE)
    microphone.say(utterance)
    microphone.next_packet()
    assert told == ["started"]
    assert not utterance.done.done()
    microphone.next_packet()
    assert told == ["started", "ended False"]
    assert utterance.done.result() is True


async def test_muting_replaces_the_voice_by_silence_while_it_runs_on() -> None:
    microphone = Microphone(SILENCE)
    microphone.say(SpokenUtterance([b"a", b"b", b"c"]))
    microphone.next_packet()
    microphone.muted = True
    assert packets(microphone, 1) == [b"quiet"]
    microphone.muted = False
    assert packets(microphone, 1) == [b"c"]


async def test_two_utterances_queue_up() -> None:
    microphone = Microphone(SILENCE)
    microphone.say(SpokenUtterance([b"a"]))
    microphone.say(SpokenUtterance([b"b"]))
    assert packets(microphone, 3) == [b"a", b"b", b"quiet"]


async def test_falling_silent_cuts_what_is_being_said() -> None:
    told: list[bool] = []
    microphone = Microphone(SILENCE)
    first = SpokenUtterance([b"a", b"b"], on_ended=told.append)
    second = SpokenUtterance([b"c"], on_ended=told.append)
    microphone.say(first)
    microphone.say(second)
    microphone.next_packet()
    microphone.fall_silent()
    assert packets(microphone, 1) == [b"quiet"]
    assert told == [True]  # the second never began, so there is nothing that ended
    assert first.done.result() is False
    assert second.done.result() is False


async def test_only_a_stopped_microphone_sends_nothing() -> None:
    microphone = Microphone(SILENCE)
    microphone.stopped = True
    assert packets(microphone, 2) == [None, None]


async def test_an_utterance_without_packets_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one packet"):
        Microphone(SILENCE).say(SpokenUtterance([]))


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.integers(1, 12)),
            st.tuples(st.just("take"), st.integers(1, 9)),
            st.tuples(st.just("cut"), st.just(0)),
        )
    )
)
async def test_nothing_begins_or_ends_after_the_first_of_what_is_foreseen(
    script: list[tuple[str, int]],
) -> None:
    told: list[str] = []
    microphone = Microphone(SILENCE)
    for act, count in script:
        if act == "say":
            microphone.say(
                SpokenUtterance(
                    [b"a"] * count,
                    on_started=lambda: told.append("started"),
                    on_ended=lambda _cut: told.append("ended"),
                )
            )
        elif act == "cut":
            microphone.fall_silent()
        else:
            foreseen = min(count, microphone.foreseen())
            microphone.next_packet()
            told.clear()
            for _ in range(foreseen - 1):
                microphone.next_packet()
            assert not told
