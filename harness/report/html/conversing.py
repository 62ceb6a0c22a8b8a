"""The panel of a conversation: both voices, what was detected, what was replied, what was lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from harness.core.audio import AUDIBLE_DBFS, Samples
from harness.core.audio_format import FRAME_SECONDS, RATE
from harness.core.events import (
    CallEnded,
    EventInvalid,
    HarnessFailed,
    NetworkImpaired,
    Packet,
    SendingStarted,
    StepEnded,
    UtteranceStarted,
    WaitExpired,
)
from harness.core.reception import reception, streams, unwrapped
from harness.core.speech import Interval, muted_intervals, muted_speech, utterances
from harness.core.timeline import Timeline
from harness.core.turns import Reply, Turn, detections, replies, turns
from harness.report.html.lanes import Lane, Panel, Span, Tick, Tone
from harness.report.html.sound import peaks
from harness.report.html.words import counted, duration

SHORTEST = 1.0  # seconds
STROKES = 480  # of a wave: about one for each two pixels of a wide screen
PAUSE_WITHIN = 0.3  # seconds: a shorter pause belongs to what is heard
REPLY_TONES: dict[str, Tone] = {"completed": "relay", "cancelled": "doubt"}


def conversing(timeline: Timeline, left: Samples, right: Samples) -> Panel | None:
    """Lanes over the whole call; `left` was said, `right` was received, both 48 kHz.

    None where no audio was sent, or for less than a second in which nobody said anything.
    """
    sending, ended = timeline.first(SendingStarted), timeline.last(CallEnded)
    end = max(len(left) / RATE, len(right) / RATE, ended.at if ended else 0.0)
    if sending is None or (end - sending.at < SHORTEST and timeline.first(UtteranceStarted) is None):
        return None
    paired = turns(timeline)
    lanes = [
        _caller(timeline, left, end),
        _detected(timeline, end),
        _responses(replies(timeline), end),
        *_waits(paired),
        _relay(timeline, right, end),
        _lost(timeline),
        *_network(timeline, end),
        *_trouble(timeline),
    ]
    return Panel(end, tuple(lanes))


def _caller(timeline: Timeline, left: Samples, end: float) -> Lane:
    said = utterances(timeline)
    spoken = tuple(Span(a, b, detail=f"speech of {u.name}", tone="caller") for u in said for a, b in u.parts)
    muted = tuple(Span(a, min(b, end), detail="muted", tone="muted") for a, b in muted_intervals(timeline))
    note = counted(len(said), "utterance") if said else "nothing said"
    if muted_speech(timeline):
        note += ", spoke while muted"
    return Lane("caller", note, (*muted, *spoken), wave=tuple(peaks(left, end, STROKES)), wave_tone="caller")


def _detected(timeline: Timeline, end: float) -> Lane:
    found = detections(timeline)
    spans = tuple(
        Span(
            span[0],
            min(span[1], end),
            detail=f"speech_started came at {d.started_at:.3f} s"
            + (
                f", speech_stopped at {d.stopped_at:.3f} s" if d.stopped_at is not None else ", never stopped"
            ),
            tone="calm" if d.stopped_at is not None else "bad",
        )
        for d in found
        for span in [d.span]
    )
    return Lane("detected speech", counted(len(found), "turn") if found else "none", spans)


def _responses(found: Sequence[Reply], end: float) -> Lane:
    spans = tuple(
        Span(
            reply.created_at,
            end if reply.done_at is None else reply.done_at,
            reply.status or "never done",
            " ".join(part for part in (reply.id, reply.status, reply.reason) if part),
            REPLY_TONES.get(reply.status, "bad"),
        )
        for reply in found
    )
    return Lane("responses", counted(len(found), "response") if found else "none", spans)


def _waits(paired: Iterable[Turn]) -> Iterator[Lane]:
    """From the true end of speech to the first audible packet: what a person waits."""
    spans = tuple(
        Span(turn.utterance.end, turn.utterance.end + turn.latency, duration(turn.latency), tone="doubt")
        for turn in paired
        if turn.utterance is not None and turn.latency is not None
    )
    if spans:
        slowest = max(span.end - span.start for span in spans)
        yield Lane("wait for a reply", f"{duration(slowest)} at most", spans)


def _relay(timeline: Timeline, right: Samples, end: float) -> Lane:
    heard = _audible(timeline.packets())
    spans = tuple(Span(a, b, detail="audible", tone="relay") for a, b in heard)
    note = f"{sum(b - a for a, b in heard):.1f} s audible" if heard else "nothing audible"
    return Lane("relay", note, spans, wave=tuple(peaks(right, end, STROKES)), wave_tone="relay")


def _audible(packets: Iterable[Packet]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for packet in packets:
        if packet.dbfs is None or packet.dbfs < AUDIBLE_DBFS:
            continue
        end = packet.at + FRAME_SECONDS
        if found and packet.at - found[-1][1] < PAUSE_WITHIN:
            found[-1] = (found[-1][0], end)
        else:
            found.append((packet.at, end))
    return found


@dataclass(frozen=True)
class _Hole:
    at: float
    packets: int


def _lost(timeline: Timeline) -> Lane:
    expected = lost = 0
    ticks = []
    for packets in streams(timeline).values():
        received = reception(packets)
        expected, lost = expected + received.expected, lost + received.lost
        ticks += [Tick(h.at, f"{counted(h.packets, 'packet')} lost") for h in _holes(packets)]
    share = f" ({100 * lost / expected:.1f} %)" if expected else ""
    return Lane("packets lost", f"{lost:,} of {expected:,}{share}", ticks=tuple(ticks))


def _holes(packets: Sequence[Packet]) -> Iterator[_Hole]:
    """Where sequence numbers are missing, at the arrival of the packet behind."""
    arrived = sorted(
        zip(unwrapped([p.sequence for p in packets], 16), packets, strict=True), key=lambda x: x[0]
    )
    for (before, _), (after, packet) in pairwise(arrived):
        if after - before > 1:
            yield _Hole(packet.at, after - before - 1)


def _network(timeline: Timeline, end: float) -> Iterator[Lane]:
    """What was done to the caller's network on purpose."""
    changes = timeline.all(NetworkImpaired)
    spans = []
    ends = [*(change.at for change in changes[1:]), end]
    for change, until in zip(changes, ends, strict=False):  # without a change there is still the end
        if change.name not in ("clear", "rebind"):
            over = min(until, change.at + change.seconds) if change.seconds else until
            spans.append(Span(change.at, over, change.name, change.name, "muted"))
    ticks = [Tick(e.at, "a new port", "doubt") for e in changes if e.name == "rebind"]
    if spans or ticks:
        names = ", ".join(dict.fromkeys(e.name for e in changes if e.name != "clear"))
        yield Lane("impaired network", names, tuple(spans), tuple(ticks))


def _trouble(timeline: Timeline) -> Iterator[Lane]:
    """Moments at which something went wrong, whoever's fault it is."""
    ticks = [
        *(Tick(e.at, f"error: {_message(e.event)}") for e in timeline.server_events("error")),
        *(Tick(e.at, f"{e.type}: {e.problem}", "doubt") for e in timeline.all(EventInvalid)),
        *(Tick(e.at, f"waited {e.within:g} s for {e.what}") for e in timeline.all(WaitExpired)),
        *(Tick(e.at, f"{e.step}: {e.failed}") for e in timeline.all(StepEnded) if e.failed),
        *(Tick(e.at, f"the harness broke: {e.error}") for e in timeline.all(HarnessFailed)),
    ]
    if ticks:
        first = min(ticks, key=lambda tick: tick.at)
        more = f", and {len(ticks) - 1} more" if len(ticks) > 1 else ""
        yield Lane("trouble", f"{first.at:.1f} s: {first.detail[:120]}{more}", ticks=tuple(ticks))


def _message(event: dict[str, object] | None) -> str:
    error = (event or {}).get("error")
    return str(error.get("message") or error.get("code") or "") if isinstance(error, dict) else ""


@dataclass(frozen=True)
class SpokenLine:
    """Something said: when, by whom, and the words."""

    at: float
    who: str
    text: str


def script(timeline: Timeline) -> list[SpokenLine]:
    """The conversation in words: what the caller's clips say, and the transcripts of the replies."""
    silenced = muted_intervals(timeline)
    said = [
        SpokenLine(e.at, "caller, muted" if _muted(e, silenced) else "caller", e.transcript or e.clip)
        for e in timeline.all(UtteranceStarted)
    ]
    answered = [SpokenLine(r.first_audible or r.created_at, "relay", r.transcript) for r in replies(timeline)]
    return sorted((line for line in [*said, *answered] if line.text), key=lambda line: line.at)


def _muted(started: UtteranceStarted, silenced: Iterable[Interval]) -> bool:
    return started.muted or any(a <= started.at < b for a, b in silenced)
