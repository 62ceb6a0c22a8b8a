"""When a requirement applies, told from the timeline alone: what the caller did, and whose view there is."""

from __future__ import annotations

from harness.core import probes
from harness.core.events import (
    AnswerReceived,
    CallEnded,
    CallStarted,
    ChannelSilenced,
    GatewayFound,
    HarnessFailed,
    HttpRequest,
    NetworkImpaired,
    RequestArrived,
    StepStarted,
    UpstreamUnavailable,
)
from harness.core.limits import limit, optional_limit
from harness.core.timeline import HANG_UP_STEPS, Timeline
from harness.requirements.exchanges import call_exchange, calls_made, upstream_offers
from harness.requirements.model import Condition, Inconclusive, NotApplicable, Requirement

Unmet = NotApplicable | Inconclusive | None


def started(timeline: Timeline) -> CallStarted:
    """How the call was planned; all defaults where the timeline does not say."""
    return timeline.first(CallStarted) or CallStarted(at=0.0, call="")


def limit_of(timeline: Timeline, name: str) -> float:
    """A limit in force for this call."""
    return limit(started(timeline).limits, name)


def optional_limit_of(timeline: Timeline, name: str) -> float | None:
    """A limit in force for this call, or None where it is not enforced."""
    return optional_limit(started(timeline).limits, name)


def asked(purpose: str, text: str) -> Condition:
    """The caller made a request of that purpose."""

    def unmet(timeline: Timeline) -> Unmet:
        if timeline.first(HttpRequest, where=lambda e: e.purpose == purpose) is not None:
            return None
        return NotApplicable(f"this call made no {purpose} request")

    return Condition(text, unmet)


def how_we_broke(failed: HarnessFailed) -> str:
    """The same words whenever it was, so that what broke for several calls at once is one finding."""
    where = f" in {failed.where}" if failed.where else ""
    return f"the harness broke{where}: {failed.error}"


def _answer_missing(timeline: Timeline) -> Unmet:
    if timeline.first(AnswerReceived) is None:
        return NotApplicable("no answer was taken")
    return None


def _upstream_unseen(timeline: Timeline) -> Unmet:
    unavailable = timeline.first(UpstreamUnavailable, side=None)
    if unavailable is not None:
        ours = timeline.first(HarnessFailed, side=None, where=lambda e: e.error == unavailable.reason)
        return Inconclusive(
            how_we_broke(ours) if ours else f"the fake could not be asked for its view: {unavailable.reason}"
        )
    if any(event.side == "upstream" and not isinstance(event, RequestArrived) for event in timeline):
        return None
    if started(timeline).mode == "black-box":
        return NotApplicable("needs the upstream's view: run with --fake-openai")
    return NotApplicable("nothing of this call reached the upstream")


def _not_placed(timeline: Timeline) -> Unmet:
    if call_exchange(timeline) is not None:
        return None
    return NotApplicable("no ordinary call was asked for")


def _nothing_forwarded(timeline: Timeline) -> Unmet:
    unseen = _upstream_unseen(timeline)
    if unseen is not None or upstream_offers(timeline):
        return unseen
    return NotApplicable("the relay sent no offer upstream")


def _nothing_made(timeline: Timeline) -> Unmet:
    unseen = _upstream_unseen(timeline)
    if unseen is not None or calls_made(timeline):
        return unseen
    return NotApplicable("the relay asked the upstream for no call")


OFFERED = asked(probes.OFFER, "an ordinary offer was sent")
ANSWERED = Condition("an answer came", _answer_missing)


def _passes_no_offer_on(timeline: Timeline) -> Unmet:
    found = timeline.first(GatewayFound)
    if found is None and not started(timeline).passes_events:
        return NotApplicable("the target is a gateway, which ends the caller's WebRTC itself")
    if found is None:
        return None
    return NotApplicable(
        f"the relay ends the caller's WebRTC itself and has a {found.upstream} call upstream"
    )


NO_GATEWAY = Condition("the relay is no gateway", _passes_no_offer_on)
PLACED = Condition("an ordinary call was asked for", _not_placed)
FORWARDED = Condition("both ends are seen, and the relay sent an offer upstream", _nothing_forwarded)
PASSED_ON = Condition("both ends are seen, and the relay asked the upstream for a call", _nothing_made)


def hang_up_at(timeline: Timeline) -> float:
    """When the caller began to hang up; endless where the record stops before."""
    step = timeline.first(StepStarted, where=lambda e: e.step in HANG_UP_STEPS)
    end = step or timeline.first(CallEnded)
    return end.at if end else float("inf")


def last_moment(timeline: Timeline) -> float:
    """Until when the call was watched: the hang-up, else the last event of the caller's."""
    at = hang_up_at(timeline)
    return at if at != float("inf") else max((e.at for e in timeline if e.side == "caller"), default=0.0)


NETWORK_AREAS = ("connectivity", "session", "turns", "audio")
CUTTING_LOSS = 0.5  # a path that loses this part of its packets carries nothing


def impairment_behind(requirement: Requirement, timeline: Timeline) -> str:
    """Why a violation may be the doing of the network that we impaired ourselves; empty where it cannot.

    A bad network spoils what is heard and when. Only one that is cut off excuses everything that crosses it.
    """
    if requirement.area in NETWORK_AREAS and timeline.first(ChannelSilenced) is not None:
        return "the data channel was kept from opening on purpose, which may be all there is to it"
    made = [e for e in timeline.all(NetworkImpaired) if e.up or e.down or e.seconds or e.name == "rebind"]
    if not made or requirement.area not in NETWORK_AREAS:
        return ""
    cut = [
        e for e in made if e.seconds or e.name == "rebind" or max(map(_lost, (e.up, e.down))) > CUTTING_LOSS
    ]
    spoilt = requirement.timing or (requirement.area == "audio" and not requirement.bears_bad_network)
    if not cut and not spoilt:
        return ""
    name = (cut or made)[0].name
    return f"the caller's network was impaired on purpose ({name}), which may be all there is to it"


def _lost(direction: dict[str, float]) -> float:
    return max(direction.get("loss", 0.0), direction.get("burst_loss", 0.0))
