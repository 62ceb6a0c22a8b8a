"""What a network that goes away does to a call, and what is left of a call that is lost."""

from __future__ import annotations

from harness.core.events import CallEnded, CallLost, CallResumed, NetworkImpaired, ServerEvent, StateChanged
from harness.core.fields import field
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import turns
from harness.requirements.conditions import PASSED_ON, last_moment, limit_of
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
from harness.requirements.session.lasting import ENDS

CONSENT = Source(
    "RFC 7675, section 5.1",
    "Consent to send lasts 30 s after the last answered check; an end without it must stop sending.",
    "https://www.rfc-editor.org/rfc/rfc7675#section-5.1",
)
SHORT_BLACKOUT = 5.0  # seconds: well within consent, and within SCTP's and the page's patience


def _blackouts(timeline: Timeline, longest: float = float("inf")) -> list[NetworkImpaired]:
    return timeline.all(NetworkImpaired, where=lambda e: 0 < e.seconds <= longest)


def _no_short_blackout(timeline: Timeline) -> NotApplicable | None:
    return (
        None
        if _blackouts(timeline, SHORT_BLACKOUT)
        else NotApplicable("the network was not cut for a moment")
    )


def _not_lost(timeline: Timeline) -> NotApplicable | None:
    return None if timeline.first(CallLost) else NotApplicable("the call was not lost")


LOST = Condition("the caller lost its call, and noticed", _not_lost)


def lost_at(timeline: Timeline) -> CallLost:
    """When the caller noticed; the condition LOST holds."""
    lost = timeline.first(CallLost)
    assert lost is not None  # noqa: S101  (the condition)
    return lost


@requirement(
    "lifecycle.short-blackout-survived",
    "A call survives two seconds without a network",
    stage=CallStage.HANG_UP,
    level=Level.MUST,
    because=Because.CALLER,
    hits="every caller whose network fails for two seconds",
    severity=Severity.CRITICAL,
    source=CONSENT,
    needs=("connectivity.data-channel-opens",),
    when=(Condition("the network was cut for 5 s at the most", _no_short_blackout),),
    causes={
        "call-dropped": Cause(
            "the call ended when the network was gone for a moment",
            "let ICE and DTLS ride it out: consent lasts 30 s. Do not close the peer connection on "
            "`disconnected`; wait for `failed`, or for some seconds, and show that the line is bad",
            in_time=True,
        ),
        "turn-lost": Cause(
            "the call stood, but nothing was answered any more after the network had come back",
            "look at what the upstream makes of missing audio and at the data channel, whose messages are "
            "sent again when the network is back; ask again where no reply comes",
            in_time=True,
        ),
    },
)
def short_blackout_survived(timeline: Timeline) -> Finding:
    """No layer ends before the hang-up, and a response is completed after the blackout."""
    blackout = _blackouts(timeline, SHORT_BLACKOUT)[0]
    until, back = last_moment(timeline), blackout.at + blackout.seconds
    quote = Evidence(blackout.at, f"the network was cut for {blackout.seconds:g} s")
    end = timeline.first(
        StateChanged, after=blackout.at, before=until, where=lambda e: e.state in ENDS.get(e.layer, ())
    )
    if end is not None:
        seen = f"{end.layer} {end.state} {end.at - blackout.at:.1f} s after the network went"
        return Violation(
            "call-dropped", seen, (quote, Evidence(end.at, f"{end.layer} {end.state} {end.detail}"))
        )
    done = [e for e in timeline.server_events("response.done", after=back) if _completed(e)]
    if done:
        return None
    watched = until - back
    if watched < limit_of(timeline, "response_s"):
        return Inconclusive(f"the call was given up {watched:.1f} s after the network had come back")
    return Violation("turn-lost", f"no response was completed in {watched:.1f} s", (quote,))


def _completed(done: ServerEvent) -> bool:
    return field(done.event, "response", "status") in ("completed", "incomplete")


def _upstream_ended(timeline: Timeline) -> CallEnded | None:
    return timeline.first(CallEnded, side="upstream")


@requirement(
    "lifecycle.lost-call-released",
    "A call that its caller lost is released at the upstream",
    stage=CallStage.HANG_UP,
    level=Level.MUST,
    because=Because.MONEY,
    hits="every caller who loses the network for good",
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI API reference, hang up call; RFC 7675, section 5.1",
        "A call is billed until it ends. A caller without a network cannot say goodbye; consent ends it.",
        "https://platform.openai.com/docs/api-reference/realtime-calls/hangup-call",
    ),
    needs=("connectivity.data-channel-opens",),
    when=(LOST, PASSED_ON),
    causes={
        "call-leaked": Cause(
            "the caller lost its call, and the call lived on at the upstream, where it is billed",
            "close the peer connection before calling again, and have the relay end a call whose client came "
            "back with another: POST /v1/realtime/calls/{call_id}/hangup (the id is in Location)",
            in_time=True,
        )
    },
)
def lost_call_released(timeline: Timeline) -> Finding:
    """The upstream's end of the call is within `release_s` of the moment at which the caller noticed."""
    lost, allowed = lost_at(timeline), limit_of(timeline, "release_s")
    ended = _upstream_ended(timeline)
    noticed = Evidence(lost.at, f"the caller noticed: {lost.by}")
    if ended is None:
        return Violation("call-leaked", "still live when the fake was last asked", (noticed,))
    late = ended.at - lost.at
    if late <= allowed:
        return None
    quotes = (noticed, Evidence(ended.at, f"ended upstream: {ended.reason}"))
    return Violation("call-leaked", f"released {late:.1f} s later, {allowed:g} s allowed", quotes)


@requirement(
    "lifecycle.time-to-notice",
    "How long a caller talks to nobody before it notices",
    stage=CallStage.HANG_UP,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=CONSENT,
    when=(LOST,),
    causes={},
)
def time_to_notice(timeline: Timeline) -> Finding:
    """Seconds from the end of the call, or of the network, to the sign by which the caller told."""
    lost = lost_at(timeline)
    ends = [
        *(e.at for e in _blackouts(timeline) if e.at <= lost.at),
        *(e.at for e in timeline.all(CallEnded, side="upstream", before=lost.at)),
        *(
            e.at
            for e in timeline.all(StateChanged, side="upstream", before=lost.at)
            if e.layer == "channel" and e.state in ("closing", "closed")
        ),
    ]
    if not ends:
        return NotApplicable("when the call ended is known to the upstream only")
    return Observation("s", (round(lost.at - min(ends), 3),), (Evidence(lost.at, f"noticed by: {lost.by}"),))


@requirement(
    "lifecycle.turns-lost",
    "What was said and never answered, because the call was lost",
    stage=CallStage.HANG_UP,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=Source("ITU-T E.800", "Retainability: a service that was obtained goes on."),
    when=(LOST,),
    causes={},
)
def turns_lost(timeline: Timeline) -> Finding:
    """Utterances of the lost call without a completed reply."""
    lost = [
        turn.utterance
        for turn in turns(timeline)
        if turn.utterance is not None and not any(r.status == "completed" for r in turn.replies)
    ]
    return Observation(
        "turns", (float(len(lost)),), tuple(Evidence(u.start, "said, not answered") for u in lost)
    )


@requirement(
    "lifecycle.audio-lost",
    "How long nothing can be heard between a lost call and the next",
    stage=CallStage.HANG_UP,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=Source("ITU-T E.800", "Retainability: the time for which a service is interrupted."),
    when=(LOST,),
    causes={},
)
def audio_lost(timeline: Timeline) -> Finding:
    """Seconds from the last packet of the lost call to the next call's session.created."""
    resumed = timeline.first(CallResumed, where=lambda e: not e.failed)
    heard = [packet.at for packet in timeline.packets()]
    if resumed is None or not heard:
        return NotApplicable("there was no next call" if resumed is None else "nothing was ever heard")
    return Observation("s", (round(resumed.at - max(heard), 3),))
