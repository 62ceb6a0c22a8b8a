"""The reply is heard: this call's own, and to its end."""

from __future__ import annotations

from harness.core.audio import AUDIBLE_DBFS
from harness.core.events import (
    AudioPlayed,
    BeginningCompared,
    MarkHeard,
    OtherCodecHeard,
    Packet,
    StretchHeard,
)
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import Reply, replies
from harness.requirements.conditions import last_moment
from harness.requirements.exchanges import excerpt
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

WEBRTC_GUIDE = "https://platform.openai.com/docs/guides/realtime-webrtc"
SECONDS_PER_AUDIO_TOKEN = 0.05  # assistant audio (OpenAI, managing costs)
FASTEST_SPEECH = 30  # characters a second: faster than anybody is understood
FAINTEST_DBFS = -75.0  # what is below is silence, as a codec carries it
# A clip begins and ends in silence, which is not heard, and a rough estimate is rough.
WHOLE_PART, SILENT_EDGES = 0.8, 0.7
NOTICEABLE_LOSS = 0.2  # seconds beyond those edges


def spoken_replies(timeline: Timeline) -> list[Reply]:
    """Completed replies that carry audio and were not interrupted."""
    return [r for r in replies(timeline) if speaks(r) and r.status == "completed" and not r.interrupted]


def speaks(reply: Reply) -> bool:
    """Whether audio was made for it: a part that is called audio and holds nothing is none."""
    made = reply.playing_at is not None or reply.transcript or reply.first_audible is not None
    return reply.has_audio and bool(made or audio_tokens(reply))


def audio_tokens(reply: Reply) -> int:
    """Those that the response was billed for; 0 where it does not say."""
    details = reply.usage.get("output_token_details")
    tokens = details.get("audio_tokens") if isinstance(details, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else 0


REPLIED = Condition(
    "a spoken reply was completed",
    lambda t: None if spoken_replies(t) else NotApplicable("no spoken reply was completed"),
)


@requirement(
    "audio.comes-back",
    "The reply's audio is heard",
    stage=CallStage.FIRST_AUDIO,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI Realtime guide, WebRTC",
        "The model's audio is sent to the peer connection as a remote track.",
        WEBRTC_GUIDE,
    ),
    needs=("turns.response-completes", "signaling.answer-has-audio", "websocket.messages-forwarded"),
    when=(REPLIED,),
    causes={
        "no-packets": Cause(
            "the reply was spoken, and no audio packet arrived",
            "check that offer and answer say sendrecv for audio, and that UDP flows back; the page needs "
            "ontrack and an audio element that plays",
            in_time=True,
        ),
        "silent-audio": Cause(
            "audio packets arrived, but they carry silence",
            "the upstream sent silence: compare the transcript with its voice settings (audio.output.voice, "
            "format), and look for a media server that forwards the wrong track",
        ),
        "too-quiet": Cause(
            "the reply's audio arrives, and so quietly that nobody hears it",
            "look for a gain or volume near zero between the upstream and the caller (a mixer, a resampler "
            "that scales twice, samples read in the wrong width)",
        ),
    },
)
def comes_back(timeline: Timeline) -> Finding:
    """For each spoken reply, packets arrive, and some of them are audible."""
    if (other := timeline.first(OtherCodecHeard)) is not None:
        return Inconclusive(
            f"the far end speaks {other.codec} (payload type {other.payload_type}), which the harness does "
            "not decode: let the answer put Opus first, as the offer does"
        )
    for reply in spoken_replies(timeline):
        packets, stretches = own_packets(timeline, reply), own_stretches(timeline, reply)
        quotes = (Evidence(reply.created_at, f"response {reply.id}: {excerpt(reply.transcript, 80)}"),)
        if any(s.audible for s in stretches):
            continue
        if stretches:
            seen = f"{sum(s.packets for s in stretches)} packets, and none of them audible"
            evidence = Evidence(stretches[0].at, "the first of this silence")
            return Violation("silent-audio", seen, (*quotes, evidence))
        if not packets:
            seen = f"none from {reply.created_at:.2f} s to {last_moment(timeline):.2f} s"
            return Violation("no-packets", seen, quotes)
        levels = [p.dbfs for p in packets if p.dbfs is not None]
        if not levels:
            return Inconclusive("packets came, but were not decoded: run without light recording")
        if max(levels) < AUDIBLE_DBFS:
            seen = f"{len(packets)} packets, the loudest at {max(levels):.0f} dBFS"
            cause = "too-quiet" if max(levels) > FAINTEST_DBFS else "silent-audio"
            return Violation(cause, seen, (*quotes, Evidence(packets[0].at, "the first packet")))
    return None


@requirement(
    "audio.own-audio",
    "The caller hears its own call, and no other",
    stage=CallStage.REPLY,
    level=Level.MUST,
    because=Because.SECRET,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 3711, section 1; the product's promise of privacy",
        "Media of a call is for the two ends of that call.",
        "https://www.rfc-editor.org/rfc/rfc3711#section-1",
    ),
    needs=("audio.comes-back",),
    when=(
        Condition(
            "the fake plays a tone of this call's own",
            lambda t: (
                None if t.first(MarkHeard, side=None) else NotApplicable("no call's own tone was heard")
            ),
        ),
    ),
    causes={
        "cross-talk": Cause(
            "the tone of another call was heard",
            "stop at once: calls are mixed up, and with them what people say; look for answers returned to "
            "the wrong request (a shared variable, a cache keyed too coarsely)",
        )
    },
)
def own_audio(timeline: Timeline) -> Finding:
    """Every tone that was heard belongs to this call."""
    for mark in timeline.all(MarkHeard, side=None):
        if mark.heard != mark.expected:
            seen = f"{mark.heard}, where the mark of this call is {mark.expected}"
            return Violation("cross-talk", seen, (Evidence(mark.at, seen),))
    return None


@requirement(
    "audio.complete",
    "The reply is heard to its end",
    stage=CallStage.REPLY,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI Realtime guide, costs",
        "One token is 50 ms of the assistant's audio: a reply has a known length.",
        "https://platform.openai.com/docs/guides/realtime-costs",
    ),
    needs=("audio.own-audio",),
    when=(REPLIED,),
    causes={
        "truncated-audio": Cause(
            "the reply broke off: less was heard than was spoken",
            "do not hang up on response.done, which comes before the playout ends: wait for "
            "output_audio_buffer.stopped; then look for a media path that ends early",
            in_time=True,
        ),
        "first-words-lost": Cause(
            "the beginning of the reply was not heard",
            "do not let a greeting be spoken before the caller can hear it: where the relay's sideband sends "
            "response.create, let it wait until media is up (the page says so on the channel); in a gateway "
            "let no gate, fade or late track open behind the first sound",
            in_time=True,
        ),
    },
)
def complete(timeline: Timeline) -> Finding:
    """Each spoken reply is audible about as long as by the fake's clip, its tokens or its transcript.

    Where the clip is known, it also begins with the clip's first sound, to a syllable.
    """
    for reply in spoken_replies(timeline):
        if (beginning := _beginning_differs(timeline, reply)) is not None:
            return beginning
        seconds, by = _length(timeline, reply)
        if _overtaken(timeline, reply):
            continue  # where one reply ends and the next begins cannot be heard
        if seconds is not None and (beginning := _beginning_lost(reply, seconds)) is not None:
            return beginning
        if seconds is None or reply.audible_seconds >= WHOLE_PART * seconds - SILENT_EDGES:
            continue
        if reply.stopped_at is None and (reply.last_audible or 0.0) > last_moment(timeline) - 1.0:
            return Inconclusive("the caller hung up while the reply was playing")
        seen = f"{reply.audible_seconds:.1f} s were audible of {seconds:.1f} s by {by}"
        first, last = reply.first_audible, reply.last_audible
        evidence = (Evidence(first, "the first audible packet"), Evidence(last, "the last audible packet"))
        return Violation("truncated-audio", seen, evidence)
    return None


def _beginning_differs(timeline: Timeline, reply: Reply) -> Violation | None:
    """What was heard, held against the clip that the fake played or sent, begins later in it."""
    compared = timeline.first(
        BeginningCompared, side=None, after=reply.created_at, before=_next_created(timeline, reply)
    )
    if compared is None or compared.lost_ms < 1000 * NOTICEABLE_LOSS:
        return None
    seen = f"the first {compared.lost_ms} ms of {compared.clip} are missing in what came"
    evidence = (
        Evidence(reply.created_at, f"response {reply.id}: {excerpt(reply.transcript, 80)}"),
        Evidence(reply.first_audible, "the first audible packet"),
    )
    return Violation("first-words-lost", seen, evidence)


def _beginning_lost(reply: Reply, seconds: float) -> Violation | None:
    """It was playing at the upstream for a while before anything of it was heard, and as much is missing."""
    if reply.playing_at is None or reply.first_audible is None:
        return None
    late, missing = reply.first_audible - reply.playing_at, seconds - reply.audible_seconds
    if min(late, missing) < SILENT_EDGES + NOTICEABLE_LOSS:
        return None
    seen = f"heard {late:.1f} s after it began to play, {missing:.1f} s of {seconds:.1f} s are missing"
    evidence = (
        Evidence(reply.playing_at, f"output_audio_buffer.started, {reply.id}"),
        Evidence(reply.first_audible, "the first audible packet"),
    )
    return Violation("first-words-lost", seen, evidence)


def own_packets(timeline: Timeline, reply: Reply) -> list[Packet]:
    """Packets from the reply's creation to the creation of the next."""
    until = _next_created(timeline, reply)
    return [p for p in timeline.packets() if reply.created_at <= p.at < until]


def own_stretches(timeline: Timeline, reply: Reply) -> list[StretchHeard]:
    """The same of a light timeline."""
    until = _next_created(timeline, reply)
    return timeline.all(StretchHeard, where=lambda s: s.until >= reply.created_at, before=until)


def _next_created(timeline: Timeline, reply: Reply) -> float:
    later = (r.created_at for r in replies(timeline) if r.created_at > reply.created_at)
    return min(later, default=float("inf"))


def _overtaken(timeline: Timeline, reply: Reply) -> bool:
    """The next reply began while this one was still playing, as where an interruption is ignored."""
    following = min(
        (r.created_at for r in replies(timeline) if r.created_at > reply.created_at), default=None
    )
    return following is not None and (reply.ended_playing is None or reply.ended_playing > following)


def _length(timeline: Timeline, reply: Reply) -> tuple[float | None, str]:
    """How long the reply should be heard, by the best witness there is."""
    following = [r.created_at for r in replies(timeline) if r.created_at > reply.created_at]
    played = timeline.first(
        AudioPlayed, side=None, after=reply.created_at, before=min(following, default=float("inf"))
    )
    if played is not None:
        return played.duration_ms / 1000, f"the fake's clip {played.clip}"
    if (tokens := audio_tokens(reply)) > 0:
        return tokens * SECONDS_PER_AUDIO_TOKEN, f"its {tokens} audio tokens"
    if reply.transcript:
        return len(reply.transcript) / FASTEST_SPEECH, f"its transcript of {len(reply.transcript)} characters"
    return None, ""
