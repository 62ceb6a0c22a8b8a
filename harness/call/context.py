"""Where calls are placed from: the settings of a run, with everything that its calls share."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import httpx
import msgspec

from harness.call.arriving import Offers
from harness.call.budget import Budget
from harness.call.line import CallLine
from harness.call.tripping import Tripping
from harness.call.upstream import FakeUpstream
from harness.config.offers import shape_in_turn
from harness.config.run import RunSettings
from harness.config.target import Target
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.errors import HarnessError
from harness.core.events import ClientEvent, Event, IceServerTried, ServerEvent
from harness.core.printable import printable
from harness.core.timeline import Timeline
from harness.network.gathering import ServerGathering, ServerTried
from harness.network.link import Link
from harness.network.presets import preset
from harness.peer.offers import shape_named
from harness.peer.peer import Peer
from harness.peer.source import Microphone
from harness.signaling.exchange import post_offer
from harness.signaling.ice_servers import with_ice_servers
from harness.signaling.sending import Sender, new_client
from harness.signaling.tokens import CALLS_PATH
from harness.speech import opus
from harness.speech.library import Library, load_library


class Pair(Protocol):
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
    pair: Pair | None = None
    offers: Offers = field(default_factory=Offers)
    tripping: Tripping = field(default_factory=Tripping)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: RunSettings, start_pair: StartPair, tell: Tell = _on_standard_error
    ) -> AsyncIterator[CallContext]:
        """A context for these settings; without a target it starts the embedded pair, and stops it.

        Where nobody listens at the loopback address of the fake, it serves the fake there, and tells so.
        Raises UsageError for an impairment that there is not, HarnessError where no fake is to be had.
        """
        if settings.impairment:
            preset(settings.impairment)
        async with AsyncExitStack() as stack:
            pair = None
            if settings.target is None:
                pair = await stack.enter_async_context(start_pair(settings))
                settings = settings.with_pair(pair.offer_url, pair.fake)
            target = settings.the_target
            upstream = None
            if settings.fake_openai:
                upstream = FakeUpstream(settings.fake_openai, MonotonicClock(), token=settings.fake_token)
                stack.push_async_callback(upstream.close)
                if not settings.embedded and not await upstream.is_there():
                    await stack.enter_async_context(_served(settings, upstream, start_pair, tell))
            client = await stack.enter_async_context(new_client(target, settings.timeouts))
            target = await with_ice_servers(target, client, settings.timeouts)
            target = with_upstream(target, settings.fake_openai)
            settings = replace(settings, target=target)  # whose redactor knows fetched credentials, too
            yield cls(settings, target, load_library(), client, upstream, Budget(settings.limits), pair)

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
    ) -> CallLine:
        """The parts of one call, recording to `timeline` with secrets redacted; see `Peer` for light ones.

        With the run's seed, `call` decides the fate of each packet where the network is impaired. `link`: the
        network of a caller that calls again. `spare`: through the relay that may be restarted, if any.
        `shape`: how its offer is written, where the run does not decide. `ufrag`: its name, where not drawn.
        """
        shape = shape or self.settings.offer or shape_in_turn(self.settings.seed, call)
        redactor = self.settings.redactor()
        through = self.pair if spare else None
        target = self.target if through is None else replace(self.target, url=through.spare_offer_url)

        def record(event: Event) -> None:
            timeline.append(_redacted(event, redactor.value))

        sender = Sender(self.client, self.settings.timeouts, timeline.append, clock, redactor)

        peer = Peer(
            record=record,
            clock=clock,
            microphone=Microphone(opus.comfort_noise() if self.settings.comfort_noise else [opus.SILENCE]),
            new_decoder=lambda: opus.Decoder().decode,
            light=light,
            addresses=self._addresses(shape),
            ask_servers=self._ask_servers(record, clock),
            relay_only=self.target.relay_only,
            shape=shape,
            ufrag=ufrag,
        )
        link = link or Link(f"{self.settings.seed}/{call}")
        if link.in_use:
            peer.put_behind(link)
        return CallLine(
            call=call,
            timeline=timeline,
            clock=clock,
            record=record,
            peer=peer,
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
        )

    def _addresses(self, shape: str) -> list[str] | None:
        """On loopback both families, where the offer names what it gathered as a browser does."""
        addresses = self.settings.ice_addresses()
        return [*addresses, "::1"] if addresses and shape_named(shape).spare else addresses

    def _ask_servers(self, record: Callable[[Event], None], clock: RelativeClock) -> ServerGathering:
        def tried(server: ServerTried) -> None:
            took = round(server.took, 6)
            record(
                IceServerTried(
                    at=clock.now(), url=server.url, error=server.error, took=took, gave=server.gave
                )
            )

        return ServerGathering(
            servers=self.target.ice_servers,
            clock=clock,
            on_tried=tried,
            within=self.settings.timeouts.gathering,
            relay_only=self.target.relay_only,
            ca_file=self.target.ice_ca,
        )


def with_upstream(target: Target, fake: str) -> Target:
    """Where a page sends its offer with a key that was minted: the fake, where it stands upstream."""
    if target.token is None or target.token.offers_to or not fake:
        return target
    return replace(target, token=replace(target.token, offers_to=f"{fake.rstrip('/')}{CALLS_PATH}"))


@asynccontextmanager
async def _served(
    settings: RunSettings, upstream: FakeUpstream, start_pair: StartPair, tell: Tell
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(start_pair(settings))
        except HarnessError:
            if not await upstream.is_there():  # else another of our processes was quicker
                raise
        else:
            tell(
                f"nobody served the fake OpenAI at {upstream.base}: the harness serves it there for this run "
                f"(the relay needs OPENAI_BASE_URL={upstream.base}/v1)"
            )
        yield


def _redacted(event: Event, redact: Callable[[Any], Any]) -> Event:
    if isinstance(event, ClientEvent | ServerEvent) and event.event is not None:
        return msgspec.structs.replace(event, event=redact(event.event))
    return event
