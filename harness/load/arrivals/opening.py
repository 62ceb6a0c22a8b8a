"""What a load of offers needs, whatever it is for: opened here, and closed with a stack."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx

from harness.call.own_servers import OwnServerEndedError, OwnServers
from harness.call.upstream import FakeUpstream
from harness.config.run import RunSettings
from harness.core.clock import Clock, MonotonicClock
from harness.core.errors import TargetUnreachableError, UsageError
from harness.core.offer_shapes import CHROMIUM
from harness.fakes.embedded import EmbeddedPair, options_for
from harness.fakes.serving import running
from harness.load.arrivals.arriving import Arriving, calm_collector
from harness.load.arrivals.metering import Metering
from harness.load.arrivals.offers import PREFIX, PreparedOffers
from harness.load.arrivals.releasing import FakeManagement, Releasing
from harness.load.arrivals.sampling import Sampling
from harness.load.arrivals.sending import new_http2_client, open_posting
from harness.load.arrivals.talking import Talking
from harness.load.arrivals.watching import Watching
from harness.load.messages import LoadSettings, Ready
from harness.load.terminal import Progress
from harness.signaling.hooks import filled
from harness.signaling.sending import new_client

UNREACHABLE = "nobody listens"


@dataclass(frozen=True)
class OfferLoad:
    """`before`: what the fake had counted before the first offer; None where there is none to ask."""

    settings: RunSettings
    ready: Ready
    clock: Clock
    fake: FakeManagement | None
    arriving: Arriving
    releasing: Releasing
    sampling: Sampling
    watching: Watching
    metering: Metering
    own: OwnServers
    before: tuple[int, int, int] | None

    @classmethod
    async def open(
        cls,
        stack: AsyncExitStack,
        settings: RunSettings,
        progress: Progress,
        *,
        talking: bool = False,
        keep_alive: bool = True,
        http2: bool = False,
        share: float = 0.0,
    ) -> OfferLoad:
        """Nothing is sent yet. Raises HarnessError where it cannot be. `share`: of offers judged in full."""
        clock = MonotonicClock()
        own = OwnServers(lambda _why: None, clock)  # what is found of the load says it
        settings = await _with_ends(stack, settings, own, talking=talking, progress=progress)
        client = await stack.enter_async_context(new_client(settings.the_target, settings.timeouts))
        target = await filled(settings.the_target, client)
        settings = replace(settings, target=target)
        posting = await open_posting(stack, target, settings.timeouts, keep_alive=keep_alive, http2=http2)
        fake = None
        if settings.fake_openai:
            fake = await stack.enter_async_context(
                FakeManagement.at(settings.fake_openai, settings.fake_token)
            )
        releasing = Releasing(target, posting, fake)
        shape = settings.offer or CHROMIUM
        if http2:  # the sample goes the way of the others
            client = await stack.enter_async_context(new_http2_client(target, settings.timeouts))
        sampling = Sampling(settings, client, releasing.accepted, share, shape)
        # Names are no choice to be repeated: a fake that saw the run before would take them for a cache's.
        names = random.SystemRandom().getrandbits(64)
        offers = PreparedOffers(shape, random.Random(names))  # noqa: S311  (nobody's secrets)
        arriving = Arriving(target, posting, offers, clock, releasing.accepted, sampling.take)
        stack.push_async_callback(arriving.end)
        await stack.enter_async_context(releasing.running())
        return cls(
            settings=settings,
            ready=Ready(
                target=target.shown_url,
                dialect=target.dialect,
                mode=settings.mode,
                fake=settings.fake_openai,
            ),
            clock=clock,
            fake=fake,
            arriving=arriving,
            releasing=releasing,
            sampling=sampling,
            watching=Watching(target, posting, clock),
            metering=Metering(arriving, settings.limits, clock),
            own=own,
            before=await counted(fake),
        )

    def introduce(self, progress: Progress) -> None:
        """Say what is sent where."""
        progress.line(f"target {self.ready.target} ({self.ready.dialect}, {self.ready.mode})")
        progress.line(f"seed {self.settings.seed}")

    async def expose(
        self, stack: AsyncExitStack, bind_to: tuple[str, int] | None, progress: Progress
    ) -> None:
        """Serve the metrics there, where it is anywhere."""
        if bind_to is None:
            return
        host, port = bind_to
        app = self.arriving.exposed.app(lambda: self.arriving.waiting, lambda: self.metering.health)
        url = await stack.enter_async_context(running(app, host=host, port=port))
        progress.line(f"metrics at {url}/metrics")

    @contextlib.asynccontextmanager
    async def needing_ours(self) -> AsyncIterator[None]:
        """Cut the block short when a process of ours ends: raises OwnServerEndedError."""
        async with _running(self.own.watch()), self.own.needed():
            yield

    async def raise_for_failure(self, failure: str) -> None:
        """Of the first offer. Raises OwnServerEndedError for ours, TargetUnreachableError for nobody."""
        if failure:
            await self.own.settle(doubt=True)
        if failure and self.own.problem:
            raise OwnServerEndedError(self.own.problem)
        if UNREACHABLE in failure:
            raise TargetUnreachableError(
                f"nothing answered at {self.ready.target}", "is the relay running, and is the URL right?"
            )

    async def begin(self, stack: AsyncExitStack) -> None:
        """Watch the target and ourselves from now on, and judge samples: it is there, and warm."""
        self.sampling.active = True
        await stack.enter_async_context(self.watching.running())
        calm_collector()
        await stack.enter_async_context(_running(self.metering.run()))

    async def end(self) -> None:
        """Give up what has no answer, and let go of every call."""
        await self.arriving.end()
        await self.releasing.settled()


async def talking_beside(
    stack: AsyncExitStack, texts: Mapping[str, Any], values: Mapping[str, Any], load: OfferLoad
) -> Talking | None:
    """Those who talk while the offers arrive, once all are being called; None where nobody is to."""
    if not values["talking"]:
        return None
    settings = load.settings
    own = {"dialect", "origin", "offer", "silent", "ice_server", "ice_servers_from", "ice_transport_policy"}
    said = {name: said for name, said in texts.items() if name in own | {"ice_ca", "config", "limits"}}
    if settings.fake_openai:
        said["fake_openai"] = settings.fake_openai.removeprefix("http://")
    asked = LoadSettings(
        host=settings.the_target.name or settings.the_target.url,
        texts={**said, "reports": str(settings.reports)},
        seed=settings.seed,
        decode_share=values["decode_share"],
        turns=values["turns"],
        limits=settings.limits,
    )
    talking = Talking(asked, values["talking"], load.clock)
    await stack.enter_async_context(talking.running())
    load.own.add(talking)
    return talking


async def counted(fake: FakeManagement | None) -> tuple[int, int, int] | None:
    """(offers that came, names that they had, calls that live); None where nobody says."""
    if fake is None:
        return None
    try:
        return await fake.counted()
    except (httpx.HTTPError, ValueError, KeyError):
        return None


async def _with_ends(
    stack: AsyncExitStack, settings: RunSettings, own: OwnServers, *, talking: bool, progress: Progress
) -> RunSettings:
    """With the embedded pair where there is no target, or with the fake where its address has none."""
    options = options_for(settings, vad="webrtc")
    # Beside calls that go on the fake needs its media; prepared offers are still only answered.
    options = replace(options, answers_only=not talking, answers_only_ufrags=PREFIX)
    if settings.target is None:
        pair = await stack.enter_async_context(EmbeddedPair(options))
        own.add(pair)
        return settings.with_pair(pair.offer_url, pair.fake)
    if settings.target.is_websocket:
        raise UsageError("a WebSocket takes no offers", "give a target that takes offers")
    if settings.target.token is not None:
        raise UsageError(
            "the target hands out keys, and the offers go to OpenAI itself",
            "give a target that takes offers",
        )
    if settings.fake_openai:
        upstream = FakeUpstream(settings.fake_openai, MonotonicClock(), token=settings.fake_token)
        stack.push_async_callback(upstream.close)
        if not await upstream.is_there():
            own.add(await stack.enter_async_context(EmbeddedPair(options)))
            progress.line(f"nobody served the fake OpenAI at {upstream.base}: it is served for this run")
    return settings


@contextlib.asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
