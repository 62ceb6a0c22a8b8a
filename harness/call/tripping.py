"""Which line of an offer a relay trips over: told by further offers; one that is refused makes no call."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from harness.call.waiting import Waiter
from harness.core.caller_end import SdpUnusableError
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import CandidateFound, HttpFailed, HttpResponse, OfferTried
from harness.core.offer_shapes import (
    AGAIN,
    MINIMAL,
    OFFER_SHAPES,
    OTHER_SHAPE,
    SEVERAL,
    SMALLEST,
    SMALLEST_AS_LONG,
)
from harness.core.probes import OFFER
from harness.core.timeline import Timeline
from harness.signaling.offer_changes import Change, changed_lines, changes_to, padded

if TYPE_CHECKING:
    from harness.call.context import CallContext
    from harness.call.line import CallLine

# Refusals that have nothing to do with how an offer is written (RFC 9110, sections 15.5 and 15.6; RFC 6585).
WHATEVER_THE_OFFER = (401, 404, 405, 407, 408, 429, 503, 504)
CHARACTERS_OF_A_BODY = 300
NO_SDP = "no SDP"

# The trial's offer and our own candidates → the text that is sent.
Write = Callable[[str, Sequence[tuple[str, int]]], str]


class Tripping:
    """What was found of each shape; the calls of a run share it, so that a target is asked once.

    Without `asks` no further offer is made.
    """

    def __init__(self, *, asks: bool = True) -> None:
        self._asks = asks
        self._found: dict[tuple[str, str, str], list[OfferTried]] = {}
        self._searching: defaultdict[tuple[str, str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def explain(self, context: CallContext, line: CallLine) -> None:
        """Record on a refused call's timeline which other offers are accepted, where that may tell why.

        At most one of them makes a call that is billed, with `find_line` three; each is hung up as soon as it
        is connected.
        """
        shape = line.end.shape
        if not self._asks or shape == MINIMAL or not may_be_about_the_offer(line.timeline):
            return
        key = (line.target.url, line.target.dialect, shape)
        async with self._searching[key]:
            if key not in self._found:
                self._found[key] = await _Search(context, line).run()
        for tried in self._found[key]:
            line.record(msgspec.structs.replace(tried, at=line.now()))


class _Search:
    """One search, from the call whose offer was refused."""

    def __init__(self, context: CallContext, line: CallLine) -> None:
        self._context = context
        self._line = line
        self._tried: list[OfferTried] = []

    async def run(self) -> list[OfferTried]:
        """What was tried, in order."""
        refused = self._line.end.offer
        if await self._accepted(AGAIN):
            return self._tried  # it was chance
        as_long = await self._accepted(
            SMALLEST_AS_LONG, shape=MINIMAL, write=lambda text, _: padded(text, len(refused))
        )
        if not as_long:
            await self._accepted(SMALLEST, shape=MINIMAL)
            return self._tried  # it is the length; or whatever it is, it is not how the offer is written
        settings = self._context.settings
        if settings.mode == "black-box" and not settings.find_line:
            return self._tried  # one call was billed
        if settings.mode != "black-box":  # where no call is billed
            for other in OFFER_SHAPES:
                if other not in (MINIMAL, self._line.end.shape):
                    await self._accepted(OTHER_SHAPE, shape=other)
        changes = changes_to(refused, self._ours())
        for change in changes:
            if await self._accepted(change.kind, change=change.name, write=_after([change.name])):
                return self._tried
        names = [change.name for change in changes]
        for number in range(2, len(names) + 1):
            if await self._accepted_after(*names[:number]):
                # The last of them is needed; mostly one other is enough with it.
                for name in names[: number - 1] if number > 2 else ():
                    if await self._accepted_after(name, names[number - 1]):
                        break
                break
        return self._tried

    async def _accepted_after(self, *names: str) -> bool:
        return await self._accepted(SEVERAL, change=" and ".join(names), write=_after(names))

    def _ours(self) -> list[tuple[str, int]]:
        return _own_candidates(self._line.timeline)

    async def _accepted(
        self, how: str, *, shape: str = "", change: str = "", write: Write | None = None
    ) -> bool:
        tried = await self._try(how, shape or self._line.end.shape, change, write)
        self._tried.append(tried)
        return tried.accepted

    async def _try(self, how: str, shape: str, change: str, write: Write | None) -> OfferTried:
        clock, timeline = RelativeClock(MonotonicClock()), Timeline()
        number = len(self._tried) + 1
        # Named after the call, so that whoever follows the call upstream finds its trials.
        trial = self._context.open_line(
            timeline,
            clock,
            call=f"{self._line.call}-trial-{number}",
            shape=shape,
            ufrag=f"{self._line.end.ufrag}+{number}",
            light=True,
        )
        try:
            offer = await trial.end.create_offer()
            text = write(offer, _own_candidates(timeline)) if write else offer
            answer = await trial.exchange(text)
            answered = answer is not None and answer.startswith("v=0")
            if answer is not None and answered:
                await self._connect(trial, answer)
        finally:
            await trial.close()
        first_line, lines = changed_lines(offer, text) if change else (0, ())
        response, failed = timeline.first(HttpResponse), timeline.first(HttpFailed)
        return OfferTried(
            at=0.0,
            shape=shape,
            how=how,
            change=change,
            lines=lines,
            first_line=first_line,
            characters=len(text),
            status=response.status if response else None,
            body=response.body[:CHARACTERS_OF_A_BODY] if response and not answered else "",
            failure=failed.failure if failed else "" if answered or answer is None else NO_SDP,
        )

    async def _connect(self, trial: CallLine, answer: str) -> None:
        """So that it can be hung up, and is not left to a server's patience."""
        timeouts, timeline = self._line.timeouts, trial.timeline
        try:
            trial.end.accept_answer(answer)
        except SdpUnusableError:
            return

        def decided() -> bool:
            return trial.end.channel_state == "open" or any(
                timeline.state(layer, state) for layer in ("ice", "dtls") for state in ("failed", "closed")
            )

        await Waiter(timeline).condition(decided, timeouts.channel)


def _after(names: Sequence[str]) -> Write:
    """Changes by name, made one after the other to whatever offer a trial has."""

    def write(offer: str, ours: Sequence[tuple[str, int]]) -> str:
        changes: dict[str, Change] = {change.name: change for change in changes_to(offer, ours)}
        for name in names:
            offer = changes[name].apply(offer)
        return offer

    return write


def _own_candidates(timeline: Timeline) -> list[tuple[str, int]]:
    return [(found.address, found.port) for found in timeline.all(CandidateFound)]


def may_be_about_the_offer(timeline: Timeline) -> bool:
    """Whether another way to write the offer may have been accepted, by how this one was refused."""
    response = timeline.last(HttpResponse, where=lambda e: e.purpose == OFFER)
    if response is not None:
        # Success comes here where what it brought was no SDP: some say so what they refuse.
        refused = 400 <= response.status < 600 or 200 <= response.status < 300
        return refused and response.status not in WHATEVER_THE_OFFER
    failed = timeline.last(HttpFailed, where=lambda e: e.purpose == OFFER)
    return failed is not None and failed.failure in ("dropped", "protocol")
