"""Between replies there is silence."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

from harness.core.audio import AUDIBLE_DBFS
from harness.core.audio_format import FRAME_SECONDS, RATE
from harness.core.events import Packet, StretchHeard
from harness.core.listening import SHORTEST_SOUND
from harness.core.reception import unwrapped
from harness.core.speech import Interval
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import Reply, replies, response_id
from harness.requirements.audio.coming import SECONDS_PER_AUDIO_TOKEN, audio_tokens, speaks
from harness.requirements.conditions import last_moment, started
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

SETTLED = 0.3  # seconds from session.created on, in which what came before may still be told of
TAIL = 1.5  # seconds behind a reply's end that its last packets, or those of an interrupted one, may come
LIGHT_TAIL = 2.0  # a light record, and a page's, tells the end of sound up to half a second late
MOST_UNDERWAY = 10.0  # seconds behind a reply's end that may be excused so
GENEROUS = 1.5  # times the length by its tokens, where nobody says when a reply has been played
SHORTEST_GAP = 0.5  # seconds: less shows little
APART = 0.1  # seconds without sound between two sounds
ENDS = ("output_audio_buffer.stopped", "output_audio_buffer.cleared")
ENDLESS = float("inf")


def _never_quiet(timeline: Timeline) -> NotApplicable | None:
    if timeline.once(_quiet_times):
        return None
    return NotApplicable("there was no time in which no reply could be playing")


@requirement(
    "audio.silent-between-replies",
    "Between replies there is silence",
    stage=CallStage.REPLY,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI API reference, output_audio_buffer.stopped",
        "Sent when the output audio buffer has been drained and no more audio is forthcoming; silence and "
        "comfort noise below -50 dBFS are none.",
        "https://platform.openai.com/docs/api-reference/realtime-server-events",
    ),
    needs=("audio.comes-back", "turns.interruption"),
    when=(Condition("there is a time in which no reply can be playing", _never_quiet),),
    timing=True,
    causes={
        "noise-between-replies": Cause(
            "something is heard while no reply is played",
            "listen to received.wav there: clicks are buffers that run dry or are cut without a fade; hiss "
            "is a comfort noise that is too loud, or gain behind a muted source; words are what is left of "
            "an old reply, so empty every queue when a reply ends or is cleared",
        )
    },
)
def silent_between_replies(timeline: Timeline) -> Finding:
    """From a reply's end to the next one's creation less than 0.1 s is audible.

    The way of its last packets is no part of that, however late they are by their own timestamps; nor is
    the time behind a reply whose end nobody tells.
    """
    undecoded = 0
    for gap, packets, stretches in _by_gap(timeline):
        audible = [p for p in packets if p.dbfs is not None and p.dbfs >= AUDIBLE_DBFS]
        undecoded += sum(p.dbfs is None for p in packets)
        if len(audible) * FRAME_SECONDS >= SHORTEST_SOUND:
            return Violation("noise-between-replies", _described(audible), _quotes(timeline, gap, audible))
        sounds = [(max(s.at, gap[0]), min(s.until, gap[1])) for s in stretches if s.audible]
        if (seconds := sum(until - since for since, until in sounds)) >= SHORTEST_SOUND:
            seen = f"{seconds:.1f} s of sound from {sounds[0][0]:.2f} s on, recorded without its level"
            return Violation("noise-between-replies", seen, (Evidence(sounds[0][0], "sound"),))
    if undecoded:
        return Inconclusive(f"{undecoded} packets came between replies, and were not decoded")
    return None


def _described(audible: list[Packet]) -> str:
    """How long, how loud, and in how many pieces."""
    levels = [p.dbfs for p in audible if p.dbfs is not None]
    mean = 10 * math.log10(sum(10 ** (level / 10) for level in levels) / len(levels))
    pieces = 1 + sum(b.at - a.at > APART for a, b in pairwise(audible))
    how = "in one piece" if pieces == 1 else f"in {pieces} pieces"
    return (
        f"{len(audible) * FRAME_SECONDS:.1f} s of sound {how}, from {audible[0].at:.2f} to "
        f"{audible[-1].at:.2f} s, {mean:.0f} dBFS in the mean and {max(levels):.0f} at its loudest"
    )


def _quotes(timeline: Timeline, gap: Interval, audible: list[Packet]) -> tuple[Evidence, ...]:
    ended = timeline.server_events(*ENDS, before=gap[0])
    before = tuple(Evidence(e.at, f"{e.type} {response_id(e)}") for e in ended[-1:])
    loudest = max(audible, key=lambda p: p.dbfs or -ENDLESS)
    return (
        *before,
        Evidence(audible[0].at, f"the first audible packet, {audible[0].dbfs:.0f} dBFS"),
        Evidence(loudest.at, f"the loudest, {loudest.dbfs:.0f} dBFS"),
    )


def _by_gap(timeline: Timeline) -> Iterator[tuple[Interval, list[Packet], list[StretchHeard]]]:
    """Each time without a reply, with what came in it. Both lists are in order, so each is passed once."""
    packets, stretches = iter(timeline.packets()), iter(timeline.all(StretchHeard))
    packet, stretch = next(packets, None), next(stretches, None)
    for gap in timeline.once(_quiet_times):
        inside: list[Packet] = []
        while packet is not None and packet.at < gap[1]:
            if packet.at >= gap[0]:
                inside.append(packet)
            packet = next(packets, None)
        across: list[StretchHeard] = []
        while stretch is not None and stretch.at < gap[1]:
            if stretch.until > gap[0]:
                across.append(stretch)
            if stretch.until > gap[1]:
                break  # it reaches into the next gap too
            stretch = next(stretches, None)
        yield gap, inside, across


def _quiet_times(timeline: Timeline) -> list[Interval]:
    """When no reply can be playing, by the server's own word, in order."""
    created = timeline.server_events("session.created")
    if not created:
        return []
    tail = LIGHT_TAIL if timeline.first(StretchHeard) else TAIL
    since, until = created[0].at + SETTLED, last_moment(timeline)
    if started(timeline).mode == "black-box" and _sounds(timeline, since):
        # A greeting that was told of before the channel was there to tell it: it ends before the first reply.
        since = min((r.created_at for r in replies(timeline)), default=ENDLESS)
    quiet = []
    for begins, ends in sorted((*_playing(timeline), (until, ENDLESS))):
        if begins - since >= SHORTEST_GAP:
            quiet.append((since, begins))
        since = max(since, ends + tail)
    return quiet


def _playing(timeline: Timeline) -> Iterable[Interval]:
    """From a response's creation to where its audio ended; also of one whose creation was not seen."""
    known = replies(timeline)
    for reply in known:
        yield reply.created_at, _over(reply) + _underway(timeline, reply)
    ids = {reply.id for reply in known}
    strangers: dict[str, float] = {}
    for event in timeline.server_events(side=None):
        if (rid := response_id(event)) and rid not in ids:
            over = event.at if event.type in ENDS else ENDLESS
            strangers[rid] = min(strangers.get(rid, ENDLESS), over)
    for over in strangers.values():
        yield 0.0, over


def _over(reply: Reply) -> float:
    """When the reply had been played; endless where nobody says."""
    if reply.ended_playing is not None:
        return reply.ended_playing
    if not speaks(reply):
        return reply.done_at if reply.done_at is not None else ENDLESS
    tokens = audio_tokens(reply)
    if reply.playing_at is not None or reply.first_audible is None or not tokens:
        return ENDLESS
    return reply.first_audible + GENEROUS * tokens * SECONDS_PER_AUDIO_TOKEN


def _underway(timeline: Timeline, reply: Reply) -> float:
    """By how many seconds its packets came later in the end than in the beginning, by their timestamps."""
    began, ended = reply.first_audible, reply.ended_playing
    if began is None or ended is None:
        return 0.0
    packets = timeline.packets()
    first = bisect.bisect_left(packets, began, key=lambda p: p.at)
    own = packets[first : bisect.bisect_right(packets, ended + MOST_UNDERWAY, key=lambda p: p.at)]
    media = unwrapped([p.timestamp for p in own], 32)
    late = (p.at - own[0].at - (sent - media[0]) / RATE for p, sent in zip(own, media, strict=True))
    return min(max(late, default=0.0), MOST_UNDERWAY)


def _sounds(timeline: Timeline, at: float) -> bool:
    """Whether something was audible just before."""
    began = at - 2 * SETTLED
    if any(s.audible and s.at <= at and s.until >= began for s in timeline.all(StretchHeard)):
        return True
    return any(
        p.dbfs is not None and p.dbfs >= AUDIBLE_DBFS for p in timeline.packets() if began <= p.at <= at
    )
