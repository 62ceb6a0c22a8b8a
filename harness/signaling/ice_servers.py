"""The ICE servers that a page would be given, fetched from the target's own endpoint or another."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from urllib.parse import urljoin

import httpx

from harness.config.ice import IceServer, check_policy, parse_ice_servers
from harness.config.ice_lifetimes import lifetime_of
from harness.config.target import Target
from harness.config.targets_file import same_origin
from harness.config.timeouts import Timeouts
from harness.core.clock import Clock, MonotonicClock, unix_time
from harness.core.errors import HarnessError, TargetUnreachableError, UsageError
from harness.core.strict_json import json_value
from harness.signaling.failures import classify, innermost
from harness.signaling.reading import read_body

SPARE_SECONDS = 60.0  # credentials last that much longer than they are given out
LARGEST_BODY = 1 << 16  # bytes: a list of servers has a few hundred


class IceSource:
    """The servers of `ice_servers_from`, for each call; fetched anew before what was fetched expires.

    The target's credentials go to its own origin only.
    """

    def __init__(
        self, target: Target, client: httpx.AsyncClient, timeouts: Timeouts, clock: Clock | None = None
    ) -> None:
        self._target = target
        self._client = client
        self._timeouts = timeouts
        self._clock = clock or MonotonicClock()
        self._fetched: tuple[IceServer, ...] = ()
        self._due = -math.inf  # when to fetch next
        self._fetching = asyncio.Lock()

    async def given(self, target: Target) -> Target:
        """The target with those servers beside its own; itself where there is nothing new.

        Raises TargetUnreachableError where nothing answers at the target, HarnessError where what answers is
        no list of ICE servers.
        """
        if not self._target.ice_servers_from:
            return target
        async with self._fetching:
            if self._clock.now() >= self._due:
                await self._fetch()
        servers = (*self._target.ice_servers, *self._fetched)
        return target if target.ice_servers == servers else replace(target, ice_servers=servers)

    async def _fetch(self) -> None:
        asked = self._clock.now()
        url = httpx.URL(urljoin(self._target.url, self._target.ice_servers_from))
        fetched, lifetime = await _fetch(self._target, url, self._client, self._timeouts)
        try:
            check_policy((*self._target.ice_servers, *fetched), "", relay_only=self._target.relay_only)
        except UsageError as error:
            raise HarnessError(error.message, "the fetched list holds none") from error
        self._fetched = fetched
        self._due = math.inf if lifetime is None else asked + lifetime - min(SPARE_SECONDS, lifetime / 2)


async def _fetch(
    target: Target, url: httpx.URL, client: httpx.AsyncClient, timeouts: Timeouts
) -> tuple[tuple[IceServer, ...], float | None]:
    """The servers, and for how many seconds."""
    shown = target.redactor().text(str(url))
    ours = same_origin(str(url), target.url)
    headers = [("Accept", "application/json"), *(target.request_headers() if ours else [])]
    try:
        async with asyncio.timeout(timeouts.answer):
            status, body = await _ask(client, "GET", url, headers)
            if status == httpx.codes.METHOD_NOT_ALLOWED:  # some mint them, and take that for a POST
                status, body = await _ask(client, "POST", url, headers)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        failed = TargetUnreachableError if ours else HarnessError
        raise failed(
            f"no ICE servers could be fetched from {shown}: {classify(error)}: "
            f"{target.redactor().text(innermost(error))}",
            "is the URL right, and does anything listen there?",
        ) from error
    if status not in (httpx.codes.OK, httpx.codes.CREATED):
        raise HarnessError(
            f"no ICE servers could be fetched from {shown}: it answered {status}",
            "look at its path, its method (GET or POST) and the credentials that it wants",
        )
    where = f"the answer of {shown}"
    try:
        servers = parse_ice_servers(body, where)
        return servers, lifetime_of(json_value(body), servers, where, unix_now=unix_time())
    except UsageError as error:
        raise HarnessError(error.message, error.remedy) from None  # nobody at the keyboard is to blame


async def _ask(
    client: httpx.AsyncClient, method: str, url: httpx.URL, headers: list[tuple[str, str]]
) -> tuple[int, str]:
    async with client.stream(method, url, headers=headers) as response:
        body = await read_body(response, LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise httpx.RemoteProtocolError(f"the body has over {LARGEST_BODY} bytes")
    return response.status_code, body.decode("utf-8", "replace")
