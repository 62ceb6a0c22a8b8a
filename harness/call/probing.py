"""The caller's probes: what a good relay bears and a careless one does not. Judged like any call."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from harness.call.host import Host
from harness.call.reconnecting import sign_of_loss
from harness.call.websocket_probes import open_from_elsewhere, open_without_credentials
from harness.config.targets_file import same_origin
from harness.core.events import CallStarted
from harness.core.fields import field
from harness.core.limits import optional_limit
from harness.core.probes import (
    ABANDONED_OFFER,
    FOREIGN_ORIGIN,
    FOREIGN_PREFLIGHT,
    INVALID_UPDATE,
    LARGE_UPDATE,
    MINT_AGAIN,
    MINT_FOREIGN,
    MINT_UNAUTHENTICATED,
    UPSTREAM_FAILURE,
    UPSTREAM_FAILURES,
)
from harness.signaling.exchange import post_offer
from harness.signaling.probes import (
    ask_for_ice_servers,
    offer_beyond_bounds,
    offer_with_session,
    offer_with_session_in_key,
    offer_without_credentials,
    send_bad_offers,
    send_preflight,
)
from harness.signaling.tokens import mint

if TYPE_CHECKING:
    from harness.core.events import ServerEvent

LADDER_KIB = (1, 16, 64, 200)
PATIENCE_SECONDS = 0.5  # of a caller that goes away before the answer has come
OVERSTAY_SECONDS = 6.0  # more than `requirements` allow for ending a call at its time limit
SLOW_UPSTREAM_SECONDS = 1.5  # so that the caller is gone by then


class Probes:
    """Verbs that a caller has beside those of a conversation.

    Where one cannot be carried out it does nothing, and what it would have shown is not applicable.
    """

    def __init__(self, caller: Host) -> None:
        self.caller = caller

    async def _offer(self) -> str:
        """An offer that we post, and may change."""
        self.caller.require("offer")
        return await self.caller.line.end.create_offer()

    async def preflight(self) -> None:
        """Ask as a browser does before it may post, where the target has an origin."""
        target = self.caller.line.target
        # A GET without headers of its own needs no leave (Fetch, CORS-preflight fetch).
        is_simple = target.token is not None and target.token.method == "GET" and not target.has_credentials
        # No preflight stands before a WebSocket.
        if not target.origin or target.is_websocket or is_simple:
            return
        async with self.caller.step("preflight"):
            await send_preflight(self.caller.line.sender, self.caller.line.target)

    async def preflight_from_elsewhere(self) -> None:
        """Ask as a browser does for a page that is not the target's, where the target has an origin."""
        line = self.caller.line
        if not line.target.origin:
            return
        if line.target.is_websocket:
            async with self.caller.step("WebSocket from elsewhere"):
                await open_from_elsewhere(line)
            return
        async with self.caller.step("preflight from elsewhere"):
            await send_preflight(line.sender, line.target, origin=FOREIGN_ORIGIN, purpose=FOREIGN_PREFLIGHT)

    async def send_bad_offers(self) -> None:
        """Every offer of `core.probes.BAD_OFFERS`, one after the other; a token relay takes none."""
        if self.gets_keys:
            return
        offer = await self._offer()
        async with self.caller.step("send bad offers"):
            await send_bad_offers(
                self.caller.line.sender, self.caller.line.target, offer, seed=self.caller.line.seed
            )

    async def offer_while_upstream_fails(self) -> None:
        """A good offer for each of `core.probes.UPSTREAM_FAILURES`, where the fake stands upstream."""
        upstream = self.caller.line.upstream
        if upstream is None or self.gets_keys:
            return
        offer = await self._offer()
        ufrag = self.caller.line.end.ufrag  # which a browser draws with its offer
        for failure in UPSTREAM_FAILURES:
            async with self.caller.step(f"offer while the upstream fails: {failure}"):
                await upstream.plant(failure, ufrag)
                try:
                    await post_offer(
                        self.caller.line.sender,
                        self.caller.line.target,
                        offer,
                        purpose=UPSTREAM_FAILURE,
                        case=failure,
                    )
                finally:
                    # A relay that sent nothing on has left the fault in place.
                    await upstream.withdraw(failure, ufrag)

    async def offer_without_credentials(self) -> None:
        """A good offer from nobody in particular, where the target is one that wants credentials."""
        if not self.caller.line.target.wants_credentials or self.gets_keys:
            return
        if self.caller.line.target.is_websocket:
            async with self.caller.step("WebSocket without credentials"):
                await open_without_credentials(self.caller.line)
            return
        offer = await self._offer()
        async with self.caller.step("offer without credentials"):
            answer = await offer_without_credentials(self.caller.line.sender, self.caller.line.target, offer)
            if answer is not None:
                await self.caller.apply_answer(answer)  # so that it can be hung up

    async def ice_servers_without_credentials(self) -> None:
        """Ask the target's own endpoint for ICE servers, where it has one and offers want credentials."""
        target = self.caller.line.target
        own = target.ice_servers_from and same_origin(
            urljoin(target.url, target.ice_servers_from), target.url
        )
        if not (own and target.wants_credentials):
            return
        async with self.caller.step("ask for ICE servers without credentials"):
            await ask_for_ice_servers(self.caller.line.sender, target)

    async def call_beside(self) -> None:
        """Several calls at the same time, where the target knows who calls: it wants credentials."""
        line = self.caller.line
        if not line.target.wants_credentials or line.call_beside is None:
            return
        self.caller.require("offer")
        async with self.caller.step("several calls at once"):
            await line.call_beside(line)

    async def outstay(self) -> None:
        """Stay on the line past `longest_call_s`, where that limit is configured, or until the call ends."""
        started = self.caller.line.timeline.first(CallStarted)
        longest = optional_limit(started.limits if started else {}, "longest_call_s")
        if longest is None:
            return
        async with self.caller.step(f"stay past {longest:g} s"):
            await self.caller.until(
                lambda: sign_of_loss(self.caller.line.timeline) is not None,
                "the target's own end of the call",
                longest + OVERSTAY_SECONDS,
            )

    async def offer_with_session(self) -> None:
        """A good offer with a session of the caller's own, and a look at the session that results.

        Where keys are minted, the session goes into the request for one.
        """
        if self.gets_keys:
            await self._mint_with_session()
            return
        offer = await self._offer()
        marker = f"injected-{self.caller.line.seed:x}-{self.caller.line.end.ufrag}"
        async with self.caller.step("offer with a session"):
            answer = await offer_with_session(
                self.caller.line.sender, self.caller.line.target, offer, marker=marker
            )
            if answer is not None:
                await self.caller.apply_answer(answer)

    async def offer_beyond_bounds(self) -> None:
        """A good offer with what a caller may choose beyond its bounds, where the target declares some."""
        line = self.caller.line
        if self.gets_keys or all(bound is True for _, bound in line.target.caller_chooses):
            return
        offer = await self._offer()
        async with self.caller.step("offer beyond the bounds"):
            marker = f"beyond-{line.seed:x}-{line.end.ufrag}"
            answer = await offer_beyond_bounds(line.sender, line.target, offer, marker=marker)
            if answer is not None:
                await self.caller.apply_answer(answer)

    async def abandon_offer(self) -> None:
        """Send an offer, and go away before the answer has come; a fake upstream takes its time for it.

        Not with a key of one's own: then no relay stands between that could let go of the call.
        """
        if self.gets_keys:
            return
        upstream = self.caller.line.upstream
        offer = await self._offer()
        ufrag = self.caller.line.end.ufrag
        if upstream is not None:
            await upstream.plant("slow-answer", ufrag, SLOW_UPSTREAM_SECONDS)
        async with self.caller.step("abandon an offer"):
            posting = asyncio.create_task(
                post_offer(self.caller.line.sender, self.caller.line.target, offer, purpose=ABANDONED_OFFER)
            )
            done, _ = await asyncio.wait([posting], timeout=PATIENCE_SECONDS)
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=not done)
        if upstream is not None:
            await upstream.withdraw("slow-answer", ufrag)

    @property
    def gets_keys(self) -> bool:
        """Whether the target mints keys, with which the caller calls upstream."""
        return self.caller.line.target.token is not None

    async def mint_without_credentials(self) -> None:
        """Ask for a key as nobody in particular, where the target is one that wants credentials."""
        line = self.caller.line
        if self.gets_keys and line.target.wants_credentials:
            async with self.caller.step("ask for a key without credentials"):
                await mint(line.sender, line.target, purpose=MINT_UNAUTHENTICATED, credentials=False)

    async def mint_from_elsewhere(self) -> None:
        """Ask for a key as a page of another origin does, with whatever a browser would send along."""
        line = self.caller.line
        if self.gets_keys and line.target.origin:
            async with self.caller.step("ask for a key from elsewhere"):
                await mint(line.sender, line.target, purpose=MINT_FOREIGN, origin=FOREIGN_ORIGIN)

    async def mint_again(self) -> None:
        """Ask for a key as another caller does."""
        line = self.caller.line
        if self.gets_keys:
            async with self.caller.step("ask for another key"):
                await mint(line.sender, line.target, purpose=MINT_AGAIN)

    async def _mint_with_session(self) -> None:
        line = self.caller.line
        marker = f"injected-{line.seed:x}-{line.end.ufrag}"
        async with self.caller.step("ask for a key with a session"):
            offer = await self._offer()
            answer = await offer_with_session_in_key(line.sender, line.target, offer, marker=marker)
            if answer is not None:
                await self.caller.apply_answer(answer)

    async def climb_updates(self) -> None:
        """`session.update` of 1, 16, 64 and 200 KiB, each after the reply to the one before."""
        for size in LADDER_KIB:
            event_id = f"{LARGE_UPDATE}{size}"
            async with self.caller.step(f"update of {size} KiB"):
                instructions = "Answer in one word. ".ljust(size * 1024, ".")
                self.caller.send(_update(event_id, instructions=instructions))
                await self.caller.event(
                    "session.updated",
                    "error",
                    within=self.caller.line.timeouts.update,
                    where=partial(_replies_to, event_id),
                )

    async def update_wrongly(self) -> None:
        """A `session.update` that must be refused with one error that names it."""
        event_id = f"{INVALID_UPDATE}{self.caller.line.end.ufrag}"
        async with self.caller.step("update wrongly"):
            self.caller.send(_update(event_id, output_modalities=["scent"]))
            await self.caller.event(
                "error", within=self.caller.line.timeouts.update, where=lambda e: _names(e, event_id)
            )


def _update(event_id: str, **session: Any) -> dict[str, Any]:
    return {"event_id": event_id, "type": "session.update", "session": {"type": "realtime", **session}}


def _replies_to(event_id: str, event: ServerEvent) -> bool:
    """An error may be about something else."""
    return event.type != "error" or _names(event, event_id)


def _names(event: ServerEvent, event_id: str) -> bool:
    return bool(field(event.event, "error", "event_id") == event_id)
