"""Asking the fake what it saw of a call: the other half of a grey-box timeline."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from harness.core.clock import Clock
from harness.core.errors import HarnessError
from harness.core.events import Event, RequestArrived
from harness.core.loopback import is_loopback
from harness.core.timeline import event_from_builtins
from harness.peer.stalls import Stall

POLL_SECONDS = 0.05
REQUEST_SECONDS = 5.0


@dataclass(frozen=True)
class UpstreamCall:
    """One call as the fake saw it; times are on its monotonic clock, `offset` ahead of ours."""

    id: str
    live: bool
    started_at: float
    events: tuple[Event, ...]
    offset: float

    def on_timeline(self, origin: float) -> list[Event]:
        """The events with `at` relative to a timeline that began at `origin` on our clock."""
        shift = self.started_at - self.offset - origin
        return [msgspec.structs.replace(e, at=e.at + shift, side="upstream") for e in self.events]


class FakeUpstream:
    """The fake's management interface, `/_fake/`, at `base` (http://host:port)."""

    def __init__(self, base: str, clock: Clock, *, token: str = "") -> None:
        self._base = base.rstrip("/")
        self._clock = clock
        self._offset = 0.0
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(timeout=REQUEST_SECONDS, headers=headers, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def base(self) -> str:
        """Where it is, without a path."""
        return self._base

    @property
    def could_be_served(self) -> bool:
        """Whether this is an address of our own machine, at which the harness may serve the fake itself."""
        return urlsplit(self._base).scheme == "http" and is_loopback(urlsplit(self._base).hostname or "")

    async def is_there(self) -> bool:
        """Whether the harness's fake answers; False where nobody listens, and we could.

        Raises HarnessError where something else is there, or it cannot be told.
        """
        try:
            response = await self._client.get(f"{self._base}/_fake/health")
        except httpx.ConnectError as error:
            if not self.could_be_served:
                raise self._unavailable(error) from error
            return False
        except httpx.TimeoutException as error:
            silent = httpx.HTTPError(f"no answer within {REQUEST_SECONDS:g} s")
            raise self._unavailable(silent) from error
        except httpx.HTTPError as error:
            raise self._unavailable(error) from error
        if _is_health(response):
            return True
        said = _problem(response) or f"status {response.status_code} for /_fake/health"
        raise HarnessError(
            f"what answers at {self._base} is not the harness's fake OpenAI, or does not let us in: {said}",
            "give the address of a `harness fake-openai`, and its management token in HARNESS_FAKE_TOKEN "
            "where it has one",
        )

    async def stalls(self) -> list[Stall]:
        """How long the fake stood still lately, and how long ago. Raises HarnessError."""
        reply = await self._get("/_fake/health", {}, "stalls")
        try:
            return msgspec.convert(reply["stalls"], list[Stall])
        except msgspec.ValidationError as error:
            raise self._unavailable(error) from error

    async def arrived(self, *, since: float = float("-inf"), answer: str = "") -> list[RequestArrived]:
        """Requests of anybody since a moment on our clock, or those answered by an SDP of this ufrag.

        `at` is on our clock. Raises HarnessError.
        """
        query = {"answer": answer} if answer else {}
        if since > float("-inf"):
            query["since"] = repr(since + self._offset)
        asked = self._clock.now()
        reply = await self._get("/_fake/requests", query, "requests")
        self._offset = clock_offset(asked, float(reply["now"]), self._clock.now())
        try:
            found = [msgspec.convert(entry, RequestArrived) for entry in reply["requests"]]
        except msgspec.ValidationError as error:
            raise self._unavailable(error) from error
        return [msgspec.structs.replace(request, at=request.at - self._offset) for request in found]

    async def calls(self, ufrag: str, *, events: bool = True) -> list[UpstreamCall]:
        """The calls whose offer had this ice-ufrag, oldest first; without their events if so asked.

        Raises HarnessError when the fake does not answer or answers something else.
        """
        asked = self._clock.now()
        query = {"ufrag": ufrag, "events": "1" if events else "0"}
        reply = await self._get("/_fake/calls", query, "calls")
        offset = self._offset = clock_offset(asked, float(reply["now"]), self._clock.now())
        return sorted((_call(entry, offset) for entry in reply["calls"]), key=lambda call: call.started_at)

    async def marked(self, mark: str, since: float) -> str:
        """The id of the live call in which a tone was heard, begun after a moment on our clock; else empty.

        Raises HarnessError.
        """
        reply = await self._get("/_fake/calls", {"mark": mark, "state": "live", "events": "0"}, "calls")
        began = since + self._offset
        return next((c["id"] for c in reply["calls"] if float(c["started_at"]) >= began), "")

    async def calls_when_ended(self, ufrag: str, within: float) -> list[UpstreamCall]:
        """The same once all have ended, or as they are after `within` seconds.

        Their events are asked for once: under load, to write and read them holds both ends up.
        """
        deadline = self._clock.now() + within
        while any(call.live for call in await self.calls(ufrag, events=False)):
            if self._clock.now() >= deadline:
                break
            await asyncio.sleep(POLL_SECONDS)
        return await self.calls(ufrag)

    async def call_when_ended(self, call: str, within: float) -> UpstreamCall | None:
        """The call of this id, once it has ended or after `within` seconds. Raises HarnessError."""
        deadline = self._clock.now() + within
        while True:
            asked = self._clock.now()
            reply = await self._get("/_fake/calls", {"id": call, "events": "1"}, "calls")
            offset = self._offset = clock_offset(asked, float(reply["now"]), self._clock.now())
            found = [_call(entry, offset) for entry in reply["calls"]]
            if not found or not found[0].live or self._clock.now() >= deadline:
                return found[0] if found else None
            await asyncio.sleep(POLL_SECONDS)

    async def plant(self, fault: str, ufrag: str, value: Any = None) -> None:
        """Plan a fault of the fake's for the one call of this ufrag. Raises HarnessError."""
        planned = {"name": fault, "ufrag": ufrag} | ({} if value is None else {"value": value})
        try:
            response = await self._client.post(f"{self._base}/_fake/faults", json=[planned])
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise self._unavailable(error) from error

    async def withdraw(self, fault: str, ufrag: str) -> None:
        """Take a planted fault back, where the call has not met it. Raises HarnessError."""
        try:
            response = await self._client.delete(
                f"{self._base}/_fake/faults", params={"name": fault, "ufrag": ufrag}
            )
        except httpx.HTTPError as error:
            raise self._unavailable(error) from error
        if response.status_code not in (httpx.codes.OK, httpx.codes.NOT_FOUND):
            raise self._unavailable(httpx.HTTPError(f"status {response.status_code}"))

    async def _get(self, path: str, query: dict[str, str], what: str) -> dict[str, Any]:
        try:
            response = await self._client.get(self._base + path, params=query)
            response.raise_for_status()
            reply = response.json()
            return {"now": reply["now"], what: reply[what]}
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> HarnessError:
        return HarnessError(
            f"the fake OpenAI at {self._base} does not answer as one: {str(error) or type(error).__name__}",
            "start it with `harness fake-openai --bind HOST:PORT` and give the same address",
        )


def clock_offset(asked: float, theirs: float, answered: float) -> float:
    """How far their clock is ahead of ours: the reply was written between question and answer.

    Where that leaves room for no offset at all, there is none: on one machine both read the same clock,
    and an estimate would only add the reply's asymmetry to it.
    """
    if asked <= theirs <= answered:
        return 0.0
    return theirs - (asked + answered) / 2


def _is_health(response: httpx.Response) -> bool:
    try:
        health = response.json()
    except ValueError:
        return False
    return response.is_success and isinstance(health, dict) and {"version", "seed", "live"} <= health.keys()


def _problem(response: httpx.Response) -> str:
    """What the management says against us."""
    try:
        told = response.json()
    except ValueError:
        return ""
    return str(told.get("problem", ""))[:200] if isinstance(told, dict) else ""


def _call(entry: dict[str, Any], offset: float) -> UpstreamCall:
    return UpstreamCall(
        id=entry["id"],
        live=entry["state"] == "live",
        started_at=float(entry["started_at"]),
        events=tuple(event_from_builtins(event) for event in entry.get("events", [])),
        offset=offset,
    )
