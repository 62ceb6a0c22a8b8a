"""Where calls are placed from: the settings of a run, with everything that its calls share."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import httpx
import msgspec

from harness.call.arriving import Offers
from harness.call.beside import call_beside
from harness.call.budget import Budget
from harness.call.ends import EndParts, OpenEnd
from harness.call.kinds import BEGIN_CALLS
from harness.call.line import CallLine
from harness.call.own_servers import OwnServer, OwnServers
from harness.call.tripping import Tripping
from harness.call.upstream import FakeUpstream
from harness.config.offers import shape_in_turn
from harness.config.run import RunSettings
from harness.config.target import Target
from harness.core.callers import caller_named
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.errors import HarnessError
from harness.core.events import ClientEvent, Event, ServerEvent
from harness.core.printable import printable
from harness.core.timeline import Timeline
from harness.network.link import Link
from harness.network.presets import preset
from harness.signaling.exchange import post_offer
from harness.signaling.ice_servers import IceSource
from harness.signaling.sending import Sender, new_client
from harness.signaling.tokens import CALLS_PATH
from harness.speech.library import Library, load_library


class Pair(OwnServer, Protocol):
    """An embedded relay and fake, running: where offers go, and the fake's base URL.

    Beside them a spare relay that can be restarted, at the same address.
    """

    @property
    def offer_url(self) -> str: ...

    @property
    def spare_offer_url(self) -> str: ...

    async def restart_spare(self) -> None: ...

    fake: str


# Starts what a run needs of us: without a target the whole pair, with one the fake at its address.
StartPair = Callable[[RunSettings], AbstractAsyncContextManager[Pair]]
Tell = Callable[[str], None]


def _on_standard_error(line: str) -> None:
    sys.stderr.write(printable(line) + "\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class CallContext:
    """Opens lines: one for each call."""

    settings: RunSettings
    target: Target
    library: Library
    client: httpx.AsyncClient
    upstream: FakeUpstream | None
    budget: Budget
    own_servers: OwnServers
    open_end: OpenEnd
    ice: IceSource
    pair: Pair | None = None
    offers: Offers = field(default_factory=Offers)
    gateway_calls: set[str] = field(default_factory=set)  # upstream calls whose callers are known
    tripping: Tripping = field(default_factory=Tripping)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        settings: RunSettings,
        start_pair: StartPair,
        tell: Tell = _on_standard_error,
        *,
        serving: OwnServer | None = None,
    ) -> AsyncIterator[CallContext]:
        """A context for these settings; without a target it starts the embedded pair, and stops it.

        Where nobody listens at the loopback address of the fake, it serves the fake there, and tells so.
        What is served so, or is `serving` already, is watched: once it has ended no further call is placed.
        Raises UsageError for an impairment that there is not, HarnessError where no fake is to be had.
        """
        if settings.impairment:
            preset(settings.impairment)
        async with AsyncExitStack() as stack:
            budget = Budget(settings.limits, tell)
            own_servers = await stack.enter_async_context(_watched(budget, tell))
            if serving is not None:
                own_servers.add(serving)
            pair = None
            if settings.target is None:
                pair = await stack.enter_async_context(start_pair(settings))
                own_servers.add(pair)
                settings = settings.with_pair(pair.offer_url, pair.fake)
            target = settings.the_target
            upstream = None
            if settings.fake_openai:
                upstream = FakeUpstream(settings.fake_openai, MonotonicClock(), token=settings.fake_token)
                stack.push_async_callback(upstream.close)
                if not settings.embedded and not await upstream.is_there():
                    served = await stack.enter_async_context(_served(settings, upstream, start_pair, tell))
                    if served is not None:
                        own_servers.add(served)
            client = await stack.enter_async_context(new_client(target, settings.timeouts))
            ice = IceSource(target, client, settings.timeouts)
            target = with_upstream(await ice.given(target), settings.fake_openai)
            settings = replace(settings, target=target)  # whose redactor knows fetched credentials, too
            open_end = await stack.enter_async_context(BEGIN_CALLS[settings.caller](settings))
            library = load_library()
            yield cls(settings, target, library, client, upstream, budget, own_servers, open_end, ice, pair)

    def open_line(
        self,
        timeline: Timeline,
        clock: RelativeClock,
        *,
        call: str = "",
        link: Link | None = None,
        spare: bool = False,
        light: bool = False,
        shape: str = "",
        ufrag: str = "",
        bad_network: bool = False,
        traceparent: str = "",
    ) -> CallLine:
        """The parts of one call, recording to `timeline` with secrets redacted; `light` as in `EndParts`.

        With the run's seed, `call` decides the fate of each packet where the network is impaired. `link`: the
        network of a caller that calls again. `spare`: through the relay that may be restarted, if any.
        `shape`: how its offer is written, where the run does not decide. `ufrag`: its name, where not drawn.
        `bad_network`: as in `EndParts`. `traceparent`: its trace, sent with every request to the target.
        """
        shape = shape or self.settings.offer or shape_in_turn(self.settings.seed, call)
        redactor = self.settings.redactor()
        through = self.pair if spare else None
        target = (
            self.target
            if through is None
            else replace(self.target, url=self.settings.reached_by(through.spare_offer_url))
        )
        if traceparent:
            target = replace(target, traceparent=traceparent)

        def record(event: Event) -> None:
            timeline.append(_redacted(event, redactor.value))

        sender = Sender(self.client, self.settings.timeouts, timeline.append, clock, redactor)

        end = self.open_end(
            EndParts(
                call=call,
                settings=self.settings,
                target=target,
                record=record,
                clock=clock,
                light=light,
                shape=shape,
                ufrag=ufrag,
                bad_network=bad_network,
            )
        )
        link = link or Link(f"{self.settings.seed}/{call}")
        if link.in_use:
            end.put_behind(link)
        return CallLine(
            call=call,
            timeline=timeline,
            clock=clock,
            record=record,
            kind=caller_named(self.settings.caller),
            end=end,
            link=link,
            exchange=lambda offer: post_offer(sender, target, offer),
            library=self.library,
            timeouts=self.settings.timeouts,
            sender=sender,
            target=target,
            upstream=self.upstream,
            seed=self.settings.seed,
            restart_relay=through.restart_spare if through else None,
            explain_refusal=None if light else partial(self.tripping.explain, self),
            call_beside=None if light else partial(call_beside, self),
        )


def with_upstream(target: Target, fake: str) -> Target:
    """Where a page sends its offer with a key that was minted: the fake, where it stands upstream."""
    if target.token is None or target.token.offers_to or not fake:
        return target
    return replace(target, token=replace(target.token, offers_to=f"{fake.rstrip('/')}{CALLS_PATH}"))


@asynccontextmanager
async def _watched(budget: Budget, tell: Tell) -> AsyncIterator[OwnServers]:
    def lost(why: str) -> None:
        budget.close(why)
        tell(f"no further call is made: {why}")

    own_servers = OwnServers(lost)
    watching = asyncio.create_task(own_servers.watch(), name="own servers")
    try:
        yield own_servers
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


@asynccontextmanager
async def _served(
    settings: RunSettings, upstream: FakeUpstream, start_pair: StartPair, tell: Tell
) -> AsyncIterator[OwnServer | None]:
    """None where another of our processes serves it."""
    served: OwnServer | None = None
    async with AsyncExitStack() as stack:
        try:
            served = await stack.enter_async_context(start_pair(settings))
        except HarnessError:
            if not await upstream.is_there():  # else another of our processes was quicker
                raise
        else:
            tell(
                f"nobody served the fake OpenAI at {upstream.base}: the harness serves it there for this run "
                f"(the relay needs OPENAI_BASE_URL={upstream.base}/v1)"
            )
        yield served


def _redacted(event: Event, redact: Callable[[Any], Any]) -> Event:
    if isinstance(event, ClientEvent | ServerEvent) and event.event is not None:
        return msgspec.structs.replace(event, event=redact(event.event))
    return event
