"""A sample of the offers: each is recorded as a call's is, and judged by every requirement that can be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from harness import __version__
from harness.config.run import RunSettings
from harness.core.clock import Clock, MonotonicClock, RelativeClock, wall_time
from harness.core.events import AnswerReceived, CallEnded, CallStarted, HttpResponse, OfferCreated
from harness.core.timeline import Timeline
from harness.load.arrivals.answers import NOT_ACCEPTED
from harness.load.arrivals.arriving import SampledOffer
from harness.load.arrivals.offers import PreparedOffer
from harness.requirements.judging import CallJudge
from harness.requirements.model import Outcome
from harness.requirements.registry import REGISTRY
from harness.signaling.exchange import post_offer
from harness.signaling.sending import Sender

EVERY_SECONDS = 0.5  # judging one takes as long as sending fifty
AREAS = ("signaling", "security")


@dataclass
class Sampling:
    """Takes an offer now and then; `wanted` is the part of all that it may take at most."""

    settings: RunSettings
    client: httpx.AsyncClient
    accepted: Callable[[PreparedOffer, str], None]
    share: float
    shape: str
    clock: Clock = field(default_factory=MonotonicClock)
    judged: int = 0
    active: bool = False  # not before the target is known to be there, and warm
    failures: Counter[str] = field(default_factory=Counter)
    _seen: int = 0
    _last: float = float("-inf")

    def take(self, offer: PreparedOffer) -> asyncio.Future[SampledOffer] | None:
        """What came of the offer, once it has been sent and judged; None for one that is no sample."""
        self._seen += 1
        now = self.clock.now()
        due = (
            self.active
            and now - self._last >= EVERY_SECONDS
            and self.judged < max(1.0, self.share * self._seen)
        )
        if not due:
            return None
        self._last = now
        self.judged += 1
        return asyncio.ensure_future(self._judged(offer))

    async def _judged(self, offer: PreparedOffer) -> SampledOffer:
        timeline, clock = Timeline(), RelativeClock(self.clock)
        target = self.settings.the_target
        timeline.append(
            CallStarted(
                at=0.0,
                call=f"arrival-{self.judged}",
                scenario="arrivals",
                started_at=wall_time(),
                origin=clock.origin,
                seed=self.settings.seed,
                harness=__version__,
                target=target.shown_url,
                dialect=target.spoken,
                mode=self.settings.mode,
                limits=dict(self.settings.limits),
                ufrag=offer.ufrag,
                silent=target.silent,
            )
        )
        timeline.append(OfferCreated(at=clock.now(), sdp=offer.sdp, shape=self.shape))
        sender = Sender(self.client, self.settings.timeouts, timeline.append, clock, self.settings.redactor())
        await post_offer(sender, target, offer.sdp)
        response = timeline.first(HttpResponse)
        timeline.append(CallEnded(at=clock.now(), reason="an offer alone"))
        if timeline.first(AnswerReceived) is not None:
            headers = {name.lower(): value for name, value in response.headers} if response else {}
            self.accepted(offer, headers.get("location", ""))
        answered = timeline.first(AnswerReceived) is not None
        judge, first = CallJudge(timeline), ""
        for requirement in REGISTRY.select(areas=AREAS):
            if requirement.over != "call":
                continue
            verdict = judge.verdict(requirement)
            if verdict.outcome == Outcome.FAILED:
                failure = f"{verdict.id}: {verdict.cause or verdict.explanation}"
                self.failures[failure] += answered
                first = first or failure
            await asyncio.sleep(0)
        # What is wrong with an answer is told apart: a few samples say it of all answers alike.
        status = response.status if response else 0
        return SampledOffer("" if answered else first or NOT_ACCEPTED, status, first if answered else "")
