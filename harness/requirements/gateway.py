"""A relay that ends the caller's WebRTC itself, with a call of its own upstream: an end ends both."""

from __future__ import annotations

from harness.core.events import CallEnded, CallMarked, GatewayFound, RequestArrived, StateChanged
from harness.core.session import turn_detection_at
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import turns
from harness.requirements.conditions import last_moment, optional_limit_of, started
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Observation,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

TOLD_WITHIN = 3.0  # seconds in which a caller is to know that nobody is behind the gateway any more
ENDS = {
    "ice": ("disconnected", "failed", "closed"),
    "dtls": ("failed", "closed"),
    "channel": ("closing", "closed"),
}


def _no_gateway(timeline: Timeline) -> NotApplicable | None:
    if timeline.first(GatewayFound) is not None:
        return None
    return NotApplicable("no gateway is seen: the far end of the caller's WebRTC is the upstream's")


GATEWAY = Condition("the relay ends the caller's WebRTC itself", _no_gateway)


def _not_declared(timeline: Timeline) -> NotApplicable | None:
    if started(timeline).passes_events or started(timeline).mode == "black-box":
        return NotApplicable("not a target that is declared as a gateway, or its upstream is not seen")
    return None


def _not_connected(timeline: Timeline) -> NotApplicable | None:
    if timeline.state("channel", "open") is None:
        return NotApplicable("the caller was not connected")
    return None


@requirement(
    "gateway.upstream-opens",
    "A gateway has a conversation upstream for each caller",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.SESSION,
    source=Source(
        "What a gateway is for",
        "A caller who is connected, and whose voice goes nowhere, is answered by nobody.",
    ),
    when=(
        Condition("the target is a gateway that keeps OpenAI's events to itself", _not_declared),
        Condition("the caller's channel opened", _not_connected),
    ),
    also_in=("session",),
    causes={
        "no-upstream": Cause(
            "the gateway took the caller in, and nothing of the call reached the upstream",
            "look at the gateway's log for its own connection to OpenAI: a refused key, an address that is "
            "not the fake's (base_url), a pipeline that waits for something else before it begins",
            in_time=True,
        ),
        "voice-not-passed-on": Cause(
            "the gateway has a conversation upstream, and what the caller says does not come through to it",
            "compare the format that the gateway sends with the session's (audio.input.format), and look for "
            "a filter that takes the caller's voice for noise, or a track that is not read",
            in_time=True,
        ),
    },
)
def upstream_opens(timeline: Timeline) -> Finding:
    """The caller's own tone is heard upstream, or its call is found there by its time."""
    marked = timeline.first(CallMarked)
    found = timeline.first(GatewayFound)
    if marked is None and found is None:
        return Inconclusive("the caller had no time to say whose call it is")
    if found is not None and (marked is None or marked.call):
        return None
    arrived = timeline.all(RequestArrived, side="upstream")
    quotes = tuple(Evidence(e.at, f"{e.method} {e.url}") for e in arrived[:3])
    if marked is not None:
        quotes = (*quotes, Evidence(marked.at, f"the caller had said its tone, {marked.mark}, in vain"))
    if found is not None:
        return Violation(
            "voice-not-passed-on", f"{found.mark}; the caller's tone was not heard there", quotes
        )
    return Violation(
        "no-upstream", f"{len(arrived)} requests reached the upstream in the call's time", quotes
    )


def _upstream_lived(timeline: Timeline) -> NotApplicable | None:
    ended = timeline.last(CallEnded, side="upstream")
    if ended is None or ended.at > last_moment(timeline) - TOLD_WITHIN:
        return NotApplicable("the upstream lived as long as the caller")
    return None


@requirement(
    "gateway.upstream-end-told",
    "A caller is not kept when nobody is behind the gateway",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.CHANNEL,
    source=Source(
        "W3C WebRTC, section 6.2 (RTCDataChannel); OpenAI Realtime guide",
        "A page learns by the channel's close, or by ICE, that its call is over; a gateway that goes on "
        "answering "
        "checks lets it talk to nobody.",
        "https://www.w3.org/TR/webrtc/#rtcdatachannel",
    ),
    when=(GATEWAY, Condition("the upstream ended before the caller", _upstream_lived)),
    also_in=("lifecycle",),
    causes={
        "caller-kept": Cause(
            "the gateway's upstream ended, and the caller was left connected to nobody",
            "close the caller's peer connection when the connection to OpenAI closes, whatever the reason; "
            "or open "
            "another at once, and tell the page that the conversation begins anew",
            in_time=True,
        )
    },
)
def upstream_end_told(timeline: Timeline) -> Finding:
    """Within three seconds of the upstream's end the caller's channel closes, or its transport ends."""
    ended = timeline.last(CallEnded, side="upstream")
    if ended is None:
        return Inconclusive("the upstream's end was not seen")
    told = timeline.first(
        StateChanged, after=ended.at - 0.5, where=lambda e: e.state in ENDS.get(e.layer, ())
    )
    until = last_moment(timeline)
    if told is not None and told.at <= min(ended.at + TOLD_WITHIN, until):
        return None
    seen = f"nothing told the caller in {until - ended.at:.1f} s"
    return Violation("caller-kept", seen, (Evidence(ended.at, f"ended upstream: {ended.reason}"),))


@requirement(
    "gateway.delay",
    "How much later speech is, for the gateway, in either direction",
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.NORMAL,
    stage=CallStage.FIRST_AUDIO,
    source=Source(
        "ITU-T G.114",
        "Up to 150 ms one way is good for most; each decoding, resampling and queue of a gateway adds to it.",
        "https://www.itu.int/rec/T-REC-G.114",
    ),
    when=(GATEWAY,),
    timing=True,
    also_in=("audio",),
    causes={
        "gateway-slow": Cause(
            "the gateway holds audio back longer than is configured",
            "send on each packet as it comes: no buffer before the resampler, no queue per event, and play "
            "what "
            "comes from OpenAI without waiting for the whole of it",
        )
    },
)
def delay(timeline: Timeline) -> Finding:
    """Up: from the true end of speech to the upstream's notice of it, without the silence that it waits for.

    Down: from the first audio that the upstream sent to the first that is heard. Both in ms, in turn.
    """
    up, down, quotes = [], [], []
    stopped = timeline.server_events("input_audio_buffer.speech_stopped", side="upstream")
    sent = timeline.server_events("response.output_audio.delta", side="upstream")
    for turn in turns(timeline):
        if turn.utterance is None:
            continue
        end = turn.utterance.end
        silence = turn_detection_at(timeline, end).silence_duration_ms / 1000
        noticed = next((e.at for e in stopped if e.at >= end), None)
        if noticed is not None and noticed - end - silence < 5:
            up.append(round(1000 * (noticed - end - silence), 1))
        first = next((e.at for e in sent if e.at >= end), None)
        heard = [r.first_audible for r in turn.replies if r.first_audible is not None]
        if first is not None and heard and min(heard) >= first:
            down.append(round(1000 * (min(heard) - first), 1))
            quotes.append(Evidence(first, "the upstream's first audio of a reply"))
    if not up or not down:
        return NotApplicable("no turn was seen at both ends")
    seen = f"up {', '.join(map(str, up))} ms, down {', '.join(map(str, down))} ms"
    allowed = optional_limit_of(timeline, "gateway_delay_ms")
    if allowed is not None and max(*up, *down) > allowed:
        return Violation("gateway-slow", f"{seen}; {allowed:g} ms allowed", tuple(quotes))
    return Observation("ms", (*up, *down), tuple(quotes), seen=seen)
