"""What is heard between replies is told with its level; what belongs to a reply is none of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from harness.core.events import Event, PacketsReceived, ServerEvent
from harness.requirements import REGISTRY, Outcome, Verdict, judge
from tests.support.editing import a, shifted, without
from tests.support.timelines import healthy_events, packets, server, timeline_of

BUFFER = "output_audio_buffer"


def verdict(events: Sequence[Event]) -> Verdict:
    (found,) = judge([timeline_of(events)], [REGISTRY.get("audio.silent-between-replies")])
    return found


def test_how_long_how_loud_and_in_how_many_pieces_is_told() -> None:
    clicks = [packets(1.0 + i * 0.5, 40, dbfs=-30.0, sequence=i * 25) for i in range(4)]
    found = verdict([*healthy_events(), *clicks])
    assert found.outcome == Outcome.WARNED
    assert "0.2 s of sound in 4 pieces, from 1.00 to 2.52 s, -30 dBFS in the mean" in found.explanation
    assert any("-30 dBFS" in str(quote) for quote in found.evidence)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("comfort noise", [packets(1.0, 2000, dbfs=-56.0, sequence=0)]),
        ("one click", [packets(1.0, 60, dbfs=-20.0, sequence=0)]),
        ("what came while nobody could tell", [packets(0.1, 500, sequence=0)]),
        ("the tail of the reply, on its way", [packets(7.3, 600, sequence=250)]),
    ],
)
def test_what_is_no_noise_between_replies_is_none(name: str, more: list[Event]) -> None:
    assert verdict([*healthy_events(), *more]).outcome == Outcome.PASSED, name


def greeting(*, ended: bool) -> list[Event]:
    """The end of a greeting that had begun before the channel was there to tell of it."""
    told = [server(2.5, f"{BUFFER}.stopped", response_id="resp_0")] if ended else []
    return [*healthy_events("black-box"), packets(0.2, 2200, sequence=0), *told]


@pytest.mark.parametrize("ended", [True, False])
def test_a_greeting_that_began_before_the_channel_is_no_noise(ended: bool) -> None:
    assert verdict(greeting(ended=ended)).outcome not in (Outcome.WARNED, Outcome.FAILED)


def test_after_a_reply_whose_end_nobody_tells_nothing_is_judged() -> None:
    """As while a function is called: the upstream tells it when the result is there."""
    untold = without(healthy_events(end=14.0), a(ServerEvent, f"{BUFFER}.stopped"))
    assert verdict([*untold, packets(9.5, 400, sequence=300)]).outcome == Outcome.PASSED


def test_where_nobody_tells_of_playing_the_end_follows_from_the_tokens() -> None:
    """As of a gateway, whose upstream is a WebSocket."""
    told = [e for e in healthy_events(end=15.0) if not getattr(e, "type", "").startswith(BUFFER)]
    assert verdict([*told, packets(9.5, 400, sequence=367)]).outcome == Outcome.PASSED
    assert verdict([*told, packets(13.0, 400, sequence=542)]).outcome == Outcome.WARNED


def test_a_reply_that_comes_a_second_late_is_no_noise() -> None:
    late = [
        shifted([e], 4.0, 1.0)[0] if isinstance(e, PacketsReceived) else e for e in healthy_events(end=12)
    ]
    assert verdict(late).outcome == Outcome.PASSED


def test_a_reply_that_stalled_for_longer_than_a_tail_is_no_noise_and_what_follows_it_is() -> None:
    healthy = healthy_events(end=15)
    whole = next(e for e in healthy if isinstance(e, PacketsReceived))
    late = [msgspec.structs.replace(p, at=p.at + 4.0) if p.at > 5.0 else p for p in whole.packets]
    stalled = [e if e is not whole else msgspec.structs.replace(e, packets=tuple(late)) for e in healthy]
    assert verdict(stalled).outcome == Outcome.PASSED
    noise = packets(13.5, 400, sequence=400)
    assert verdict([*stalled, noise]).outcome == Outcome.WARNED


def test_packets_that_were_not_decoded_tell_nothing() -> None:
    found = verdict([*healthy_events(), packets(1.0, 1000, dbfs=None, sequence=0)])
    assert found.outcome == Outcome.INCONCLUSIVE


def test_without_a_session_there_is_nothing_to_judge() -> None:
    nothing = without(healthy_events(), a(ServerEvent, "session.created"))
    assert verdict(nothing).outcome in (Outcome.NOT_APPLICABLE, Outcome.BLOCKED)
