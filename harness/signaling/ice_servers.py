"""The ICE servers that a page would be given: fetched once, from the target's own endpoint or another."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urljoin

import httpx

from harness.config.ice import IceServer, check_policy, parse_ice_servers
from harness.config.target import Target
from harness.config.targets_file import same_origin
from harness.config.timeouts import Timeouts
from harness.core.errors import HarnessError, TargetUnreachableError, UsageError
from harness.signaling.failures import classify, innermost
from harness.signaling.reading import read_body

LARGEST_BODY = 1 << 16  # bytes: a list of servers has a few hundred


async def with_ice_servers(target: Target, client: httpx.AsyncClient, timeouts: Timeouts) -> Target:
    """The target with the servers of `ice_servers_from` added to its own; itself where there is none.

    The target's credentials go to its own origin only. Raises TargetUnreachableError where nothing answers at
    the target, HarnessError where what answers is no list of ICE servers.
    """
    if not target.ice_servers_from:
        return target
    fetched = await _fetch(target, httpx.URL(urljoin(target.url, target.ice_servers_from)), client, timeouts)
    servers = (*target.ice_servers, *fetched)
    try:
        check_policy(servers, "", relay_only=target.relay_only)
    except UsageError as error:
        raise HarnessError(error.message, "the fetched list holds none") from error
    return replace(target, ice_servers=servers, ice_servers_from="")


async def _fetch(
    target: Target, url: httpx.URL, client: httpx.AsyncClient, timeouts: Timeouts
) -> tuple[IceServer, ...]:
    shown = target.redactor().text(str(url))
    ours = same_origin(str(url), target.url)
    headers = [("Accept", "application/json"), *(target.request_headers() if ours else [])]
    try:
        async with asyncio.timeout(timeouts.answer):
            async with client.stream("GET", url, headers=headers) as response:
                status, body = response.status_code, await read_body(response, LARGEST_BODY + 1)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        failed = TargetUnreachableError if ours else HarnessError
        raise failed(
            f"no ICE servers could be fetched from {shown}: {classify(error)}: "
            f"{target.redactor().text(innermost(error))}",
            "is the URL right, and does anything listen there?",
        ) from error
    if len(body) > LARGEST_BODY:
        raise HarnessError(
            f"no ICE servers could be fetched from {shown}: the body has over {LARGEST_BODY} bytes",
            "look at what it answers: a list of servers has a few hundred",
        )
    if status != 200:
        raise HarnessError(
            f"no ICE servers could be fetched from {shown}: it answered {status}",
            "look at its path, its method (GET) and the credentials that it wants",
        )
    try:
        return parse_ice_servers(body.decode("utf-8", "replace"), f"the answer of {shown}")
    except UsageError as error:
        raise HarnessError(error.message, error.remedy) from None  # nobody at the keyboard is to blame
