"""Which of the requests that reached the fake belong to which of our calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import ref

import msgspec

from harness.call.upstream import FakeUpstream
from harness.core.clock import RelativeClock
from harness.core.events import (
    AnswerReceived,
    ArrivalsRead,
    CallEnded,
    CallStarted,
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    OfferCreated,
    RequestArrived,
    Stalled,
    Tie,
)
from harness.core.naming import name_of
from harness.core.probes import CALLS
from harness.core.sdp import parse_sdp
from harness.core.timeline import Timeline
from harness.requirements.arrivals import carries_offer

MOST_CALLS = 256  # whose offers are remembered
OTHER_CLOCK_SECONDS = 0.05  # by which the times of another machine's fake may be off
SERVER_ERROR = 500
UNTIL_NOW = float("inf")


@dataclass(frozen=True)
class Offered:
    """From when to when an offer waited for its answer, on our monotonic clock."""

    ufrag: str
    start: float
    end: float


@dataclass
class Offers:
    """The offers of a context's calls: by them a request without a name finds its call."""

    _calls: deque[tuple[str, float, ref[Timeline]]] = field(default_factory=lambda: deque(maxlen=MOST_CALLS))

    def add(self, clock: RelativeClock, timeline: Timeline) -> None:
        """A call begins; where a page makes the offer, it has a name once that is made."""
        if name := name_of(timeline):
            self._calls.append((name, clock.origin, ref(timeline)))
            return

        def named(event: Event) -> None:
            if isinstance(event, OfferCreated):
                unlisten()
                self.add(clock, timeline)

        unlisten = timeline.listen(named)

    def waiting(self) -> list[Offered]:
        """Each offer that was sent."""
        found = []
        for ufrag, origin, timeline in self._calls:
            if (known := timeline()) is not None and (span := offer_span(known)) is not None:
                found.append(Offered(ufrag, origin + span[0], origin + span[1]))
        return found

    @property
    def ufrags(self) -> set[str]:
        """The names of all our calls."""
        return {ufrag for ufrag, _, _ in self._calls}


def offer_span(timeline: Timeline) -> tuple[float, float] | None:
    """From the ordinary offer, or upgrade, to what came of it; None where there was none."""
    sent = timeline.first(HttpRequest, where=lambda e: e.purpose in CALLS)
    if sent is None:
        return None
    ended = [e.at for e in timeline.all(HttpResponse, where=lambda e: e.purpose in CALLS)]
    ended += [e.at for e in timeline.all(HttpFailed, where=lambda e: e.purpose in CALLS)]
    ended = ended or [e.at for e in timeline.all(CallEnded)]
    return sent.at, min(ended, default=UNTIL_NOW)


def _failed(timeline: Timeline) -> bool:
    """Whether an offer, or an upgrade, was answered by no success."""
    answers = timeline.all(HttpResponse, where=lambda e: e.purpose in CALLS and e.status >= SERVER_ERROR)
    return bool(answers) or timeline.first(HttpFailed, where=lambda e: e.purpose in CALLS) is not None


async def read_arrivals(
    upstream: FakeUpstream, offers: Offers, timeline: Timeline, ufrag: str, clock: RelativeClock
) -> None:
    """Put on the timeline what arrived of this call, and what arrived meanwhile of no call of ours.

    Raises HarnessError where the fake cannot be asked.
    """
    found = await upstream.arrived(since=clock.origin - OTHER_CLOCK_SECONDS)
    calls = {e.call for e in timeline.all(CallStarted, side="upstream")}
    owners = owners_of(found, offers.waiting())
    tied = [(request, _tie(request, ufrag, calls, owners)) for request in found]
    answer = timeline.first(AnswerReceived)
    if answer is not None and not any(tie == "ufrag" for _, tie in tied):
        # Nothing of this offer arrived, and yet it was answered: perhaps by what another caller was given.
        given = parse_sdp(answer.sdp).ice_ufrag
        others = await upstream.arrived(answer=given) if given else []
        tied += [(request, "answer") for request in others]
    for request, tie in tied:
        if tie or _is_nobodys(request, offers.ufrags, owners):
            at = request.at - clock.origin
            shown = msgspec.structs.replace(request, at=max(0.0, at), before=max(0.0, -at), tie=tie)
            timeline.append(shown)
    if _failed(timeline) and timeline.first(Stalled, side="upstream") is None:
        # No call tells of it: the fake may have stood still before it had one.
        for stall in await upstream.stalls():
            if (at := clock.now() - stall.ago) >= 0:
                timeline.append(Stalled(at=at, side="upstream", seconds=round(stall.seconds, 3)))
    timeline.append(ArrivalsRead(at=clock.now(), base=upstream.base, requests=len(found)))


def _tie(request: RequestArrived, ufrag: str, calls: set[str], owners: Mapping[str, str]) -> Tie:
    if request.ufrag == ufrag:
        return "ufrag"
    if any(call in request.url for call in calls):
        return "call"
    return "time" if owners.get(request.id) == ufrag else ""


def _is_nobodys(request: RequestArrived, ours: set[str], owners: Mapping[str, str]) -> bool:
    return not _is_named_by(ours, request.ufrag) and request.id not in owners and "rtc_" not in request.url


def _is_named_by(ours: set[str], ufrag: str) -> bool:
    """A call's further offers, for a second look or beside it, are called after it: `ufrag+1`."""
    return any(ufrag == name or ufrag.startswith(f"{name}+") for name in ours)


def owners_of(found: Iterable[RequestArrived], waiting: Sequence[Offered]) -> dict[str, str]:
    """Id of each request without a name → the ufrag of the offer that it was made for, by time and order.

    A relay answers its caller soon after its upstream has answered it: of the offers that waited for as long
    as the request lasted, it is the one whose answer came next. Each offer is given one request that is meant
    to make a call before any is given two.
    """
    owners: dict[str, str] = {}
    served = {request.ufrag for request in found if request.ufrag}
    for request in sorted((r for r in found if not r.ufrag), key=lambda r: r.at + r.took):
        ended = request.at + request.took
        around = [
            o for o in waiting if o.start - OTHER_CLOCK_SECONDS <= request.at <= o.end + OTHER_CLOCK_SECONDS
        ]
        wanted = carries_offer(request)
        best = min(
            around,
            key=lambda o: (o.end < ended, wanted and o.ufrag in served, abs(o.end - ended), -o.start),
            default=None,
        )
        if best is not None:
            owners[request.id] = best.ufrag
            served |= {best.ufrag} if wanted else set()
    return owners
