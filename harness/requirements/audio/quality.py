"""The reply's audio is clean, and can be understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from harness.core.audio_format import FRAME_SECONDS
from harness.core.events import (
    AudioCompared,
    Packet,
    PairSelected,
    StatsTaken,
    StretchHeard,
)
from harness.core.reception import Reception, reception, streams
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import Reply
from harness.requirements.audio.coming import REPLIED, own_stretches, spoken_replies
from harness.requirements.conditions import limit_of
from harness.requirements.model import (
    Alternative,
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
from harness.requirements.own_lateness import IN_TIME, OwnLateness, own_lateness
from harness.requirements.registry import requirement

# A stream that is this much off real time, or has this part of its packets back to back, is not paced.
PACE_TOLERANCE = 0.25
MOSTLY_BURSTS = 0.4
MADE_UP = 0.03  # of what is heard: a syllable in a sentence
SHORTEST_STRETCH = 25  # packets: half a second says little less


@requirement(
    "audio.clean",
    "The reply's audio arrives evenly and whole",
    stage=CallStage.REPLY,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    source=Source(
        "RFC 3550, section 6.4.1; ITU-T G.1010",
        "Conversational voice bears less than 3 % loss; jitter beyond the jitter buffer is loss too.",
        "https://www.rfc-editor.org/rfc/rfc3550#section-6.4.1",
    ),
    needs=("audio.comes-back",),
    when=(REPLIED,),
    timing=True,
    causes={
        "packet-loss": Cause(
            "audio packets were lost on the way",
            "look at the network path (Wi-Fi, VPN, an overloaded link); a nearer TURN server or region "
            "helps; keep useinbandfec=1 in the answer",
        ),
        "wrong-pace": Cause(
            "audio packets do not come at the pace at which they play",
            "the sender must send one packet every 20 ms: look for a media server that sends as fast as it "
            "generates, or a busy event loop that sends in bursts",
        ),
        "gaps": Cause(
            "the reply's audio stalls",
            "look for a sender that is starved of CPU, or a path that buffers (TCP relay, VPN)",
        ),
        "jitter": Cause(
            "audio packets arrive unevenly",
            "look at the network path and at the load of the sender; a jitter buffer that is deeper hides it "
            "at the price of latency",
        ),
        "clipping": Cause(
            "the reply's audio is clipped",
            "lower the gain before the encoder; look for samples scaled twice on the way",
        ),
    },
)
def clean(timeline: Timeline) -> Finding:
    """Loss, pace, stalls, jitter and clipping of what was heard of each reply, against their limits.

    What passes a limit by no more than our own ends were late is not the target's.
    """
    ours = own_lateness(timeline)
    unsure = ""
    for reply in spoken_replies(timeline):
        for amiss, evidence in _looks(timeline, reply):
            if (violation := _violation(amiss(ours), evidence)) is not None:
                return violation
            unsure = unsure or next((seen for _, seen in amiss(IN_TIME)), "")
    return Inconclusive(f"{unsure}; and {ours}: too busy to tell what comes late") if unsure else None


Amiss = Callable[[OwnLateness], Iterator[tuple[str, str]]]


def _looks(timeline: Timeline, reply: Reply) -> Iterator[tuple[Amiss, Evidence]]:
    """At each stretch of the reply, whole or recorded lightly."""
    for packets in streams(timeline).values():
        stretch = _while_audible(packets, reply)
        if len(stretch) >= SHORTEST_STRETCH:
            found = reception(stretch)
            yield partial(_amiss, timeline, found), _quote(reply, found)
    for heard in _audible(timeline, reply):
        lightly = Evidence(heard.at, f"response {reply.id}, recorded lightly")
        yield partial(_amiss_lightly, timeline, heard), lightly


def _violation(amiss: Iterator[tuple[str, str]], evidence: Evidence) -> Violation | None:
    """The first cause, and the others as what may explain it as well."""
    found = list(amiss)
    if not found:
        return None
    (cause, seen), *others = found
    return Violation(cause, seen, (evidence,), tuple(Alternative(*other) for other in others))


def _audible(timeline: Timeline, reply: Reply) -> list[StretchHeard]:
    return [s for s in own_stretches(timeline, reply) if s.audible and s.packets >= SHORTEST_STRETCH]


def _amiss_lightly(timeline: Timeline, heard: StretchHeard, ours: OwnLateness) -> Iterator[tuple[str, str]]:
    """Loss, pace, stalls and jitter; a light record knows neither bursts nor clipping."""
    loss, gap = limit_of(timeline, "loss_percent"), limit_of(timeline, "gap_ms")
    jitter, expected = limit_of(timeline, "jitter_ms"), heard.packets + heard.lost
    lost_percent = 100 * heard.lost / expected
    if lost_percent > loss:
        yield "packet-loss", f"{heard.lost} of {expected} packets, {lost_percent:.1f} %, {loss:g} % allowed"
    # Its longest wait is a gap, and no pace: made up for it counts in neither, else in the slower one.
    media, took, late = heard.media_ms / 1000, heard.until - heard.at, ours.worst / 1000
    longest, shortest = took + late, took - late - heard.stall_ms / 1000
    slower, faster = (media / max(s, FRAME_SECONDS) for s in (longest, shortest))
    if slower > 1 + PACE_TOLERANCE or faster < 1 - PACE_TOLERANCE:
        yield "wrong-pace", f"{slower if slower > 1 else faster:.2f} s of audio come in each second"
    if heard.stall_ms > gap + ours.worst:
        yield "gaps", f"for {heard.stall_ms:.0f} ms, {gap:g} ms allowed"
    if heard.jitter_ms > jitter + ours.p99:
        yield "jitter", f"{heard.jitter_ms:.0f} ms at its highest, {jitter:g} ms allowed"


def _amiss(timeline: Timeline, found: Reception, ours: OwnLateness) -> Iterator[tuple[str, str]]:
    """Every limit that is passed, with what was seen: what explains the others comes first."""
    loss, gap = limit_of(timeline, "loss_percent"), limit_of(timeline, "gap_ms")
    jitter, clipped = limit_of(timeline, "jitter_ms"), limit_of(timeline, "clipped_percent")
    if found.lost_percent > loss:
        yield (
            "packet-loss",
            f"{found.lost} of {found.expected} packets, {found.lost_percent:.1f} %, {loss:g} % allowed",
        )
    if found.bursts > MOSTLY_BURSTS and not (_through_turn(timeline) or ours.is_frequent):
        yield "wrong-pace", f"{found.bursts * 100:.0f} % of them come back to back"
    if found.bursts <= MOSTLY_BURSTS and found.pace is not None and abs(found.pace - 1) > PACE_TOLERANCE:
        yield "wrong-pace", f"{found.pace:.2f} s of audio come in each second"
    if found.stall * 1000 > gap + ours.worst:
        yield "gaps", f"for {found.stall * 1000:.0f} ms at {found.stall_at:.2f} s, {gap:g} ms allowed"
    if found.jitter_ms > jitter + ours.p99:
        yield "jitter", f"{found.jitter_ms:.0f} ms (95th percentile), {jitter:g} ms allowed"
    if found.clipped * 100 > clipped:
        yield "clipping", f"{found.clipped * 100:.1f} % of samples at full scale, {clipped:g} % allowed"


def _through_turn(timeline: Timeline) -> bool:
    """Whether our own TURN server hands packets on: in bunches over TCP, and wherever it is kept waiting."""
    pair = timeline.last(PairSelected)
    return pair is not None and pair.local.startswith("relay ")


def _while_audible(packets: list[Packet], reply: Reply) -> list[Packet]:
    if reply.first_audible is None or reply.last_audible is None:
        return []
    return [p for p in packets if reply.first_audible <= p.at <= reply.last_audible]


def _quote(reply: Reply, found: Reception) -> Evidence:
    return Evidence(
        reply.first_audible,
        f"response {reply.id}: {found.expected} packets, {found.lost} lost, jitter {found.jitter_ms:.1f} ms, "
        f"longest stall {found.stall * 1000:.0f} ms",
    )


def _made_up(timeline: Timeline) -> str:
    """What the browser put in place of packets that it did not have in time, where that spoils the words.

    What the way has to do with it, loss and jitter, is audio.clean's; without them the browser was too slow.
    """
    counted = timeline.last(StatsTaken)
    heard = sum(s.until - s.at for s in timeline.all(StretchHeard, where=lambda s: s.audible))
    if counted is None or not heard or counted.concealed_ms < MADE_UP * 1000 * heard:
        return ""
    return (
        f"the browser had not taken its packets in time and made up {counted.concealed_ms:.0f} ms of "
        f"{1000 * heard:.0f} ms: this machine is too busy to tell what arrived"
    )


@requirement(
    "audio.intelligible",
    "What is heard can be understood",
    stage=CallStage.REPLY,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    source=Source(
        "Taal et al. 2011, short-time objective intelligibility (STOI)",
        "STOI rises with the part of words understood; speech below about 0.75 is hard to follow.",
        "https://doi.org/10.1109/TASL.2011.2114881",
    ),
    needs=("audio.complete", "audio.clean"),
    timing=True,
    when=(
        Condition(
            "what the fake played is known",
            lambda t: (
                None
                if t.first(AudioCompared, side=None)
                else NotApplicable("what was heard was not compared with what was played")
            ),
        ),
    ),
    causes={
        "garbled-audio": Cause(
            "what was heard is not what was played",
            "packets arrive, yet their content does not survive: look for transcoding on the way, a wrong "
            "payload type or clock rate, or frames decoded out of order",
        )
    },
)
def intelligible(timeline: Timeline) -> Finding:
    """STOI of what was heard against what the fake played is at least `stoi`."""
    least = limit_of(timeline, "stoi")
    for compared in timeline.all(AudioCompared, side=None):
        if compared.stoi < least:
            seen = f"STOI {compared.stoi:.2f} against {compared.clip}, at least {least:g} is needed"
            if made_up := _made_up(timeline):
                return Inconclusive(f"{seen}; but {made_up}")
            return Violation("garbled-audio", seen, (Evidence(compared.at, seen),))
    return None
