"""An open load: offers leave when they are due, whatever became of those before, and are timed from then."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import httpx

from harness.config.target import Target
from harness.core.clock import Clock
from harness.load.analysis.rows import SDP_POST
from harness.load.analysis.slo import Window
from harness.load.arrivals.answers import NOT_ACCEPTED, Answers
from harness.load.arrivals.exposing import Exposed
from harness.load.arrivals.offers import PreparedOffer, PreparedOffers
from harness.load.arrivals.sending import Posting
from harness.platform.descriptors import check_descriptors
from harness.signaling.dialects import unwrap, wrap

SPARE_DESCRIPTORS = 200  # for what is no offer
SOONEST = 0.0005  # s: what is due within it is sent at once


@dataclass
class Tally:
    """The offers that were due in a stretch of time, each in it by when it was due.

    `seconds` of an accepted one are from when it was due; `at_work` from when it left, which shows the
    relay's own time. `late`: ms from due to leaving. `statuses` have 0 for no answer; `told_when`: refusals
    with Retry-After.
    """

    seconds: list[float] = field(default_factory=list)
    at_work: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    told_when: Counter[str] = field(default_factory=Counter)
    due: int = 0
    untimed: int = 0  # accepted samples: what is recorded and judged of them takes our time, not the target's
    findings: Counter[str] = field(default_factory=Counter)  # what was wrong with those
    unsent: int = 0  # there was no descriptor left for them
    most_waiting: int = 0

    def window(self) -> Window:
        """For objectives."""
        failed = self.failures.total()
        ended = len(self.seconds) + self.untimed + failed
        return Window({SDP_POST: [1000 * s for s in self.seconds]}, ended, failed)


@dataclass(frozen=True)
class SampledOffer:
    """What came of an offer that was sent as a sample; `status` is 0 for no answer.

    `finding`: the first thing that is wrong with an answer that was accepted.
    """

    failure: str
    status: int
    finding: str = ""


Accepted = Callable[[PreparedOffer, str], None]


class Arriving:
    """Sends offers to one target. `accepted` is told of each call that was made, with its Location or ""."""

    def __init__(
        self,
        target: Target,
        posting: Posting,
        offers: PreparedOffers,
        clock: Clock,
        accepted: Accepted,
        instead: Callable[[PreparedOffer], asyncio.Future[SampledOffer] | None] = lambda _offer: None,
    ) -> None:
        """`instead`: sends an offer in a way of its own, for a sample."""
        self._posting = posting
        self._offers = offers
        self._clock = clock
        self._accepted = accepted
        self._instead = instead
        self._answers = Answers()
        self._dialect = target.wrapping
        parameters = self._dialect.query
        self._url = str(httpx.URL(target.url).copy_merge_params(parameters)) if parameters else target.url
        self._fields = target.extra_fields()
        self._headers = {
            "Accept": self._dialect.accept,
            **self._dialect.headers,
            **dict(target.request_headers()),
        }
        self._under_way: set[asyncio.Task[None]] = set()
        self._most = check_descriptors() - SPARE_DESCRIPTORS
        self.begun = 0
        self.exposed = Exposed()
        self.lateness: list[float] = []  # ms, taken each second by the meter

    @property
    def waiting(self) -> int:
        """Offers that have no answer yet."""
        return len(self._under_way)

    async def offer(self, times: Iterable[float], settle: float) -> Tally:
        """Send what is due; return when every offer has its answer, or none in time.

        Times are seconds from now on. Those due before `settle` are sent and not counted.
        """
        tally, unmeasured = Tally(), Tally()
        await self.send(times, lambda at: tally if at >= settle else unmeasured)
        return tally

    async def send(self, times: Iterable[float], tally_of: Callable[[float], Tally]) -> None:
        """The same, each counted in the tally of the time at which it is due."""
        began = self._clock.now()
        for at in times:
            due = began + at
            while (wait := due - self._clock.now()) > SOONEST:  # noqa: ASYNC110  (time is no event)
                await asyncio.sleep(wait)
            self.send_one(due, tally_of(at))
        await self.answered()

    async def answered(self) -> None:
        """Return when nothing waits for an answer."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def end(self) -> None:
        """Give up what has no answer yet."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def send_one(self, due: float, tally: Tally) -> None:
        """Send one now; `due` is on the clock."""
        tally.due += 1
        if len(self._under_way) >= self._most:
            tally.unsent += 1
            return
        task = asyncio.create_task(self._one(due, tally))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        tally.most_waiting = max(tally.most_waiting, len(self._under_way))

    async def _one(self, due: float, tally: Tally) -> None:
        left = self._clock.now()
        tally.late.append(1000 * (left - due))
        self.lateness.append(1000 * (left - due))
        self.begun += 1
        offer = self._offers.draw()
        judged = self._instead(offer)
        if judged is None:
            failure = await self._asked(offer, tally)
            now = self._clock.now()
        else:
            found = await judged
            failure = found.failure
            tally.statuses[found.status] += 1
            tally.findings.update(filter(None, [found.finding]))
        if failure:
            tally.failures[SDP_POST, failure] += 1
            self.exposed.failed(failure)
        elif judged is None:
            self.exposed.answered(now - due)
            tally.seconds.append(now - due)
            tally.at_work.append(now - left)
        else:
            tally.untimed += 1

    async def _asked(self, offer: PreparedOffer, tally: Tally) -> str:
        body = wrap(self._dialect, offer.sdp, self._fields)
        headers = {"Content-Type": body.content_type, **self._headers}
        reply = await self._posting.ask(self._dialect.method, self._url, body.content, headers)
        tally.statuses[reply.status] += 1
        if reply.failure:
            return f"{NOT_ACCEPTED}: {reply.failure}"
        if not self._dialect.takes(reply.status):
            if when := reply.headers.get("retry-after", ""):
                tally.told_when[when[:20]] += 1
            return f"{NOT_ACCEPTED}: status {reply.status}"
        self._accepted(offer, reply.headers.get("location", ""))
        return self._answers.fault(offer, unwrap(self._dialect, reply.body.decode("utf-8", "replace")))


def calm_collector() -> None:
    """A collection looks at whatever lives: thousands of offers at once. Fewer, and not at what stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
