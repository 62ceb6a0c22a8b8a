"""A caller that calls again, an ICE restart, a relay that was restarted, and many who come back at once."""

from __future__ import annotations

import re

from harness.core import probes
from harness.core.events import (
    AnswerReceived,
    CallResumed,
    HarnessFailed,
    HerdCame,
    RelayRestarted,
    StateChanged,
)
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import asked, last_moment, limit_of
from harness.requirements.exchanges import Exchange, exchanges
from harness.requirements.lifecycle.losing import LOST, lost_at
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

RETAINABILITY = Source(
    "OpenAI Realtime guide, session lifecycle; W3C WebRTC, section 5.6.5",
    "A session ends after 60 minutes, and a peer connection that failed stays so: the page calls again.",
    "https://platform.openai.com/docs/guides/realtime-conversations#session-lifecycle-events",
)


def _resumed(timeline: Timeline) -> CallResumed | None:
    return timeline.first(CallResumed)


@requirement(
    "lifecycle.comes-back",
    "A caller that lost its call gets a new one",
    stage=CallStage.HANG_UP,
    level=Level.MUST,
    because=Because.CALLER,
    hits="every caller who lost a call",
    severity=Severity.CRITICAL,
    source=RETAINABILITY,
    needs=("connectivity.data-channel-opens",),
    when=(LOST,),
    causes={
        "refused": Cause(
            "the relay took no new offer from a caller that had lost its call",
            "let a new offer end the caller's old call instead of refusing it: a lock for each user must not "
            "outlive the call, and the old call may not have been able to say goodbye",
        ),
        "not-connected": Cause(
            "the relay answered the new offer, and no new call came of it",
            "look at the new call's own timeline: it is judged like any other",
            in_time=True,
        ),
        "too-late": Cause(
            "the new call took too long",
            "count from the page's first attempt: shorten its back-off, and look at the relay's answer time",
            in_time=True,
        ),
    },
)
def comes_back(timeline: Timeline) -> Finding:
    """From the first new attempt to the next call's session.created in `recover_s`."""
    lost, resumed, allowed = lost_at(timeline), _resumed(timeline), limit_of(timeline, "recover_s")
    broke = timeline.first(HarnessFailed)
    if resumed is None:
        return Inconclusive(broke.error if broke else "the record ends before the caller called again")
    quotes = (
        Evidence(lost.at, f"noticed by: {lost.by}"),
        Evidence(resumed.at, resumed.failed or f"attempt {resumed.attempts} held: {resumed.call}"),
    )
    tries = f"{resumed.attempts} attempt{'s' if resumed.attempts > 1 else ''}"
    if resumed.failed:
        cause = "refused" if resumed.failed == "no answer" else "not-connected"
        return Violation(cause, f"{tries}, the last one ended with: {resumed.failed}", quotes)
    took = resumed.at - resumed.asked_at
    if took > allowed:
        return Violation("too-late", f"{took:.1f} s in {tries}, {allowed:g} s allowed", quotes)
    return None


@requirement(
    "lifecycle.time-to-recover",
    "How long it takes to have a new call",
    stage=CallStage.HANG_UP,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=RETAINABILITY,
    needs=("lifecycle.comes-back",),
    when=(LOST,),
    causes={},
)
def time_to_recover(timeline: Timeline) -> Finding:
    """Seconds from the first new attempt, with the network there, to the next call's session.created."""
    resumed = _resumed(timeline)
    if resumed is None or resumed.failed:
        return NotApplicable("there was no next call")
    return Observation("s", (round(resumed.at - resumed.asked_at, 3),))


def _not_restarted(timeline: Timeline) -> NotApplicable | None:
    if timeline.first(RelayRestarted) is None:
        return NotApplicable("the relay was not restarted: only an embedded one may be")
    return None


@requirement(
    "lifecycle.relay-restart-survived",
    "A restart of the relay ends no call, and the next call is taken",
    stage=CallStage.HANG_UP,
    level=Level.MUST,
    because=Because.CALLER,
    hits="every caller while the relay restarts",
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI Realtime guide, WebRTC",
        "Media and events go between caller and OpenAI: the relay is needed to make a call, not to keep it.",
        "https://platform.openai.com/docs/guides/realtime-webrtc",
    ),
    needs=("connectivity.data-channel-opens",),
    when=(Condition("the relay was restarted in mid-call", _not_restarted),),
    causes={
        "call-dropped": Cause(
            "a call that was under way ended when the relay was restarted",
            "do not hang up calls on shutdown; a deployment must not end every conversation. Keep nothing in "
            "the relay that a call under way depends on",
        ),
        "not-back": Cause(
            "the relay that was restarted took no call",
            "let it listen only when it is ready (readiness probe), and keep no state of calls in its memory",
            in_time=True,
        ),
    },
)
def relay_restart_survived(timeline: Timeline) -> Finding:
    """No layer of the call ends before the hang-up, and the call made after it connects."""
    restarted = timeline.first(RelayRestarted)
    assert restarted is not None  # noqa: S101  (the condition)
    quote = Evidence(restarted.at, f"the relay served again after {restarted.took:.1f} s")
    end = timeline.first(
        StateChanged,
        after=restarted.at - restarted.took,
        before=last_moment(timeline),
        where=lambda e: e.state in ENDS.get(e.layer, ()),
    )
    if end is not None:
        seen = f"{end.layer} {end.state} {end.at - restarted.at + restarted.took:.1f} s after its stop"
        return Violation("call-dropped", seen, (quote, Evidence(end.at, f"{end.layer} {end.state}")))
    resumed = _resumed(timeline)
    if resumed is None:
        return Inconclusive("the record ends before the next call")
    if resumed.failed:
        return Violation("not-back", resumed.failed, (quote, Evidence(resumed.at, resumed.failed)))
    return None


@requirement(
    "lifecycle.ice-restart",
    "What the relay makes of an ICE restart",
    stage=CallStage.HANG_UP,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=Source(
        "RFC 8829, section 5.2.2; RFC 3264, section 8",
        "restartIce() leads to a second offer of the same session; its answer keeps the session id of o=.",
        "https://www.rfc-editor.org/rfc/rfc8829#section-5.2.2",
    ),
    when=(asked(probes.ICE_RESTART, "the offer was sent again with new ICE credentials"),),
    causes={},
)
def ice_restart(timeline: Timeline) -> Finding:
    """1 where the same call answered, 0 where the offer was refused or began another call."""
    offer = exchanges(timeline, probes.ICE_RESTART)[0]
    what = _restart(timeline, offer)
    kept = float(what.startswith("the same"))
    return Observation("calls kept", (kept,), (Evidence(offer.ended_at, what),), what.partition(":")[0])


def _restart(timeline: Timeline, offer: Exchange) -> str:
    if not offer.succeeded:
        met = f"status {offer.status}" if offer.status else offer.failed.failure if offer.failed else "no end"
        return (
            f"refused ({met}): restartIce() cannot fix a call through this relay; on `failed` the page must "
            "close and call again"
        )
    first = timeline.first(AnswerReceived)
    session = re.search(r"o=\S+ (\d+)", first.sdp) if first else None
    if session is not None and re.search(rf"o=\S+ {session[1]}\b", offer.body):
        return "the same call answered: restartIce() can fix a call through this relay"
    return (
        "another call was begun, and is billed: restartIce() cannot fix a call through this relay, since "
        "the new call knows nothing of the conversation; on `failed` the page must close and call again"
    )


def _no_herd(timeline: Timeline) -> NotApplicable | None:
    if timeline.first(HerdCame) is None:
        return NotApplicable(
            "no herd was sent: only where a fake stands upstream, since every call is billed"
        )
    return None


HERD = Condition("many callers came back together", _no_herd)
BACKOFF = Source(
    "AWS Architecture Blog, Exponential Backoff and Jitter",
    "Clients that lost their calls together come back together, unless each waits a time of its own.",
    "https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/",
)


@requirement(
    "lifecycle.herd-served",
    "Callers who come back together are all served",
    stage=CallStage.HANG_UP,
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="callers who come back together",
    severity=Severity.NORMAL,
    source=BACKOFF,
    when=(HERD,),
    causes={
        "turned-away": Cause(
            "of the callers who came back together some got no call",
            "raise the relay's limits, or answer 429 with Retry-After and let the page wait with jitter",
            in_time=True,
        )
    },
)
def herd_served(timeline: Timeline) -> Finding:
    """Each caller of each herd has its session.created."""
    for herd in timeline.all(HerdCame):
        if herd.refusals:
            seen = f"{len(herd.refusals)} of {herd.callers} within {herd.spread:g} s: {herd.refusals[0]}"
            return Violation("turned-away", seen, (Evidence(herd.at, "; ".join(herd.refusals[:3])),))
    return None


def _herd_waits(timeline: Timeline, *, at_once: bool) -> Finding:
    herds = [herd for herd in timeline.all(HerdCame) if (herd.spread == 0) == at_once]
    waits = tuple(wait for herd in herds for wait in herd.waits)
    if not waits:
        return NotApplicable("no herd of this kind was served")
    quotes = tuple(
        Evidence(h.at, f"{len(h.waits)} of {h.callers} served within {h.spread:g} s") for h in herds
    )
    return Observation("s", waits, quotes)


@requirement(
    "lifecycle.herd-at-once",
    "How long callers wait who come back at the same moment",
    stage=CallStage.HANG_UP,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=BACKOFF,
    when=(HERD,),
    causes={},
)
def herd_at_once(timeline: Timeline) -> Finding:
    """Seconds from each caller's offer to its session.created, without back-off."""
    return _herd_waits(timeline, at_once=True)


@requirement(
    "lifecycle.herd-jittered",
    "How long callers wait who come back each at its own moment",
    stage=CallStage.HANG_UP,
    level=Level.OBSERVE,
    because=Because.MEASURED,
    severity=Severity.MINOR,
    source=BACKOFF,
    when=(HERD,),
    causes={},
)
def herd_jittered(timeline: Timeline) -> Finding:
    """Seconds from each caller's offer to its session.created, with jittered back-off."""
    return _herd_waits(timeline, at_once=False)
