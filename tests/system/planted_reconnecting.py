"""Faults that callers meet who lose their calls and come back: by the cause that each must lead to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import httpx

from harness.call import Caller
from harness.call.context import CallContext

Plan = Callable[[Caller, "Planting"], Awaitable[None]]


@dataclass(frozen=True)
class Planting:
    """Plants faults at the pair of the context that calls are made from."""

    context: CallContext
    client: httpx.AsyncClient

    async def fake(self, **fault: object) -> None:
        await self._plant(f"{self.context.settings.fake_openai}/_fake/faults", fault)

    async def relay(self, caller: Caller, **fault: object) -> None:
        """At the relay that this caller goes through."""
        base = caller.line.target.url.partition("/api/")[0]
        await self._plant(f"{base}/_relay/faults", fault)

    async def _plant(self, url: str, fault: dict[str, object]) -> None:
        (await self.client.post(url, json=[fault])).raise_for_status()

    def spoil_next(self, caller: Caller, plant: Callable[[str], Awaitable[None]]) -> None:
        """Every further call of this caller meets a fault, by its ufrag."""
        again = caller.call_again
        assert again is not None

        def spoiled(line: object) -> object:
            made = again(line)  # type: ignore[arg-type]  # handed on

            async def exchange(offer: str) -> str | None:
                await plant(made.end.ufrag)
                return await made.exchange(offer)

            return replace(made, exchange=exchange)

        caller.call_again = spoiled  # type: ignore[assignment]  # as above


async def leaks(caller: Caller, at: Planting) -> None:
    await at.fake(name="call-leaked", ufrag=caller.line.end.ufrag)
    await loses_and_comes_back(caller, at)


async def loses_and_comes_back(caller: Caller, _at: Planting) -> None:
    await caller.reconnect.will_lose_call("channel-closed", 0.2)
    await caller.connect()
    await caller.reconnect.come_back()
    await caller.hang_up()


async def is_refused(caller: Caller, at: Planting) -> None:
    at.spoil_next(caller, lambda ufrag: at.relay(caller, name="relay-error", ufrag=ufrag))
    await loses_and_comes_back(caller, at)


async def cannot_connect(caller: Caller, at: Planting) -> None:
    at.spoil_next(caller, lambda ufrag: at.fake(name="ice-silent", ufrag=ufrag))
    await loses_and_comes_back(caller, at)


async def is_slow(caller: Caller, at: Planting) -> None:
    at.spoil_next(caller, lambda ufrag: at.fake(name="slow-answer", value=7.5, ufrag=ufrag))
    await loses_and_comes_back(caller, at)


async def meets_a_relay_that_holds_calls(caller: Caller, at: Planting) -> None:
    await at.relay(caller, name="calls-held", ufrag=caller.line.end.ufrag)
    await caller.connect()
    await caller.reconnect.restart_relay()
    await caller.stay_silent(0.5)
    await caller.reconnect.make_another_call()
    await caller.hang_up()


async def meets_a_relay_that_is_not_back(caller: Caller, at: Planting) -> None:
    await caller.connect()
    await caller.reconnect.restart_relay()
    at.spoil_next(caller, lambda ufrag: at.relay(caller, name="relay-error", ufrag=ufrag))
    await caller.reconnect.make_another_call()


async def is_dropped_in_the_dark(caller: Caller, at: Planting) -> None:
    await at.fake(name="channel-closed", value=0.8, ufrag=caller.line.end.ufrag)
    await caller.connect()
    await caller.network.blackout_during(caller.stay_silent(6), after=0.2, seconds=1.2)
    await caller.hang_up()


async def is_never_answered_again(caller: Caller, at: Planting) -> None:
    await at.fake(name="response-never", ufrag=caller.line.end.ufrag)
    await caller.connect()
    await caller.network.blackout_during(caller.say("en-f-order"), after=0.8, seconds=1.0)
    await caller.stay_silent(2)
    await caller.hang_up()


async def comes_as_a_herd(caller: Caller, at: Planting) -> None:
    await at.fake(name="http-429", calls=1)
    await caller.reconnect.come_back_as_herd(3, spread=0)
    await caller.hang_up()


PLANTED: dict[str, Plan] = {
    "lifecycle.lost-call-released: call-leaked": leaks,
    "lifecycle.comes-back: refused": is_refused,
    "lifecycle.comes-back: not-connected": cannot_connect,
    "lifecycle.comes-back: too-late": is_slow,
    "lifecycle.relay-restart-survived: call-dropped": meets_a_relay_that_holds_calls,
    "lifecycle.relay-restart-survived: not-back": meets_a_relay_that_is_not_back,
    "lifecycle.short-blackout-survived: call-dropped": is_dropped_in_the_dark,
    "lifecycle.short-blackout-survived: turn-lost": is_never_answered_again,
    "lifecycle.herd-served: turned-away": comes_as_a_herd,
}
# The relay that is restarted is one, and the fault that hits any call must hit this one's.
ONE_AFTER_THE_OTHER = (meets_a_relay_that_holds_calls, meets_a_relay_that_is_not_back, comes_as_a_herd)
