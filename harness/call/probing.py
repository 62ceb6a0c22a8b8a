"""The caller's probes: what a good relay bears and a careless one does not. Judged like any call."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from harness.core.probes import (
    ABANDONED_OFFER,
    FOREIGN_ORIGIN,
    FOREIGN_PREFLIGHT,
    INVALID_UPDATE,
    LARGE_UPDATE,
    UPSTREAM_FAILURE,
    UPSTREAM_FAILURES,
)
from harness.core.session import field
from harness.signaling.exchange import post_offer
from harness.signaling.probes import (
    offer_with_session,
    offer_without_credentials,
    send_bad_offers,
    send_preflight,
)

if TYPE_CHECKING:
    from harness.call.line import Line
    from harness.core.events import ServerEvent

LADDER_KIB = (1, 16, 64, 200)
PATIENCE_SECONDS = 0.5  # of a caller that goes away before the answer has come
SLOW_UPSTREAM_SECONDS = 1.5  # so that the caller is gone by then


class _Host(Protocol):
    """What a caller has that probes are made with."""

    line: Line

    def send(self, event: dict[str, Any]) -> str: ...
    def _step(self, name: str) -> AbstractAsyncContextManager[None]: ...
    async def _event(self, *types: str, within: float, where: Any = None) -> ServerEvent: ...
    async def _until_created(self, answer: str) -> None: ...


class Probes:
    """Verbs that a caller has beside those of a conversation.

    Where one cannot be carried out it does nothing, and what it would have shown is not applicable.
    """

    async def preflight(self: _Host) -> None:
        """Ask as a browser does before it may post, where the target has an origin."""
        if not self.line.target.origin:
            return
        async with self._step("preflight"):
            await send_preflight(self.line.sender, self.line.target)

    async def preflight_from_elsewhere(self: _Host) -> None:
        """Ask as a browser does for a page that is not the target's, where the target has an origin."""
        if not self.line.target.origin:
            return
        async with self._step("preflight from elsewhere"):
            await send_preflight(
                self.line.sender, self.line.target, origin=FOREIGN_ORIGIN, purpose=FOREIGN_PREFLIGHT
            )

    async def send_bad_offers(self: _Host) -> None:
        """Every offer of `core.probes.BAD_OFFERS`, one after the other."""
        offer = await self.line.peer.create_offer()
        async with self._step("send bad offers"):
            await send_bad_offers(self.line.sender, self.line.target, offer, seed=self.line.seed)

    async def offer_while_upstream_fails(self: _Host) -> None:
        """A good offer for each of `core.probes.UPSTREAM_FAILURES`, where the fake stands upstream."""
        upstream, ufrag = self.line.upstream, self.line.peer.ufrag
        if upstream is None:
            return
        offer = await self.line.peer.create_offer()
        for failure in UPSTREAM_FAILURES:
            async with self._step(f"offer while the upstream fails: {failure}"):
                await upstream.plant(failure, ufrag)
                try:
                    await post_offer(
                        self.line.sender, self.line.target, offer, purpose=UPSTREAM_FAILURE, case=failure
                    )
                finally:
                    # A relay that sent nothing on has left the fault in place.
                    await upstream.withdraw(failure, ufrag)

    async def offer_without_credentials(self: _Host) -> None:
        """A good offer from nobody in particular, where the target is one that wants credentials."""
        if not self.line.target.wants_credentials:
            return
        offer = await self.line.peer.create_offer()
        async with self._step("offer without credentials"):
            answer = await offer_without_credentials(self.line.sender, self.line.target, offer)
            if answer is not None:
                await self._until_created(answer)  # so that it can be hung up

    async def offer_with_session(self: _Host) -> None:
        """A good offer with a session of the caller's own, and a look at the session that results."""
        offer = await self.line.peer.create_offer()
        marker = f"injected-{self.line.seed:x}-{self.line.peer.ufrag}"
        async with self._step("offer with a session"):
            answer = await offer_with_session(self.line.sender, self.line.target, offer, marker=marker)
            if answer is not None:
                await self._until_created(answer)

    async def abandon_offer(self: _Host) -> None:
        """Send an offer, and go away before the answer has come; a fake upstream takes its time for it."""
        upstream, ufrag = self.line.upstream, self.line.peer.ufrag
        offer = await self.line.peer.create_offer()
        if upstream is not None:
            await upstream.plant("slow-answer", ufrag, SLOW_UPSTREAM_SECONDS)
        async with self._step("abandon an offer"):
            posting = asyncio.create_task(
                post_offer(self.line.sender, self.line.target, offer, purpose=ABANDONED_OFFER)
            )
            done, _ = await asyncio.wait([posting], timeout=PATIENCE_SECONDS)
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=not done)
        if upstream is not None:
            await upstream.withdraw("slow-answer", ufrag)

    async def climb_updates(self: _Host) -> None:
        """`session.update` of 1, 16, 64 and 200 KiB, each after the reply to the one before."""
        for size in LADDER_KIB:
            event_id = f"{LARGE_UPDATE}{size}"
            async with self._step(f"update of {size} KiB"):
                instructions = "Answer in one word. ".ljust(size * 1024, ".")
                self.send(_update(event_id, instructions=instructions))
                await self._event(
                    "session.updated",
                    "error",
                    within=self.line.timeouts.update,
                    where=lambda e, mine=event_id: e.type != "error" or _names(e, mine),
                )

    async def update_wrongly(self: _Host) -> None:
        """A `session.update` that must be refused with one error that names it."""
        event_id = f"{INVALID_UPDATE}{self.line.peer.ufrag}"
        async with self._step("update wrongly"):
            self.send(_update(event_id, output_modalities=["scent"]))
            await self._event("error", within=self.line.timeouts.update, where=lambda e: _names(e, event_id))


def _update(event_id: str, **session: Any) -> dict[str, Any]:
    return {"event_id": event_id, "type": "session.update", "session": {"type": "realtime", **session}}


def _names(event: ServerEvent, event_id: str) -> bool:
    return bool(field(event.event, "error", "event_id") == event_id)
