"""Candidates from any number of STUN and TURN servers: each is asked by itself, all at once.

aiortc takes one server of each kind and does not say why one gave nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from aioice import Candidate
from aioice.ice import StunProtocol, relayed_candidate, server_reflexive_candidate

from harness.config.ice import IceServer, IceUrl
from harness.core.clock import Clock
from harness.network.failures import ASKING_FAILS, failure

Gathered = tuple[Candidate, StunProtocol | None]

# A host address from which nothing gets out (a bridge of containers) must not cost the whole time-out
# once another one was answered: it gets this many times as long, and no less than the seconds.
GRACE_TIMES, GRACE_SECONDS = 2.0, 0.2


class ServerTried(NamedTuple):
    """One URL: what went wrong, or what it gave, each `type address:port`, after `took` seconds."""

    url: str
    error: str
    took: float
    gave: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerGathering:
    """Asks the servers for one peer; each outcome goes to `on_tried` when it is known.

    `within`: seconds that each server is given. `relay_only`: STUN servers are not asked.
    """

    servers: Sequence[IceServer]
    clock: Clock
    on_tried: Callable[[ServerTried], None]
    within: float
    relay_only: bool = False
    ca_file: Path | None = None

    async def __call__(
        self, hosts: Sequence[StunProtocol], new_protocol: Callable[[], StunProtocol]
    ) -> list[Gathered]:
        """Candidates, relayed ones with the protocol behind them. What a server gets wrong never raises."""
        urls = [(url, server) for server in self.servers for url in server.parsed()]
        tasks = [
            asyncio.create_task(self._ask(url, server, hosts, new_protocol), name=f"ask {url.url}")
            for url, server in urls
            if url.turn or not self.relay_only
        ]
        try:
            answers = await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            _abandon(await asyncio.gather(*tasks, return_exceptions=True))
            raise
        return _ranked(answers)

    async def _ask(
        self,
        url: IceUrl,
        server: IceServer,
        hosts: Sequence[StunProtocol],
        new_protocol: Callable[[], StunProtocol],
    ) -> tuple[IceUrl, list[Gathered]]:
        began, error, found = self.clock.now(), "", list[Gathered]()
        try:
            async with asyncio.timeout(self.within):
                if url.turn:
                    found = [await self._relayed(url, server, new_protocol)]
                else:
                    found = await self._reflexive(url, hosts)
        except ASKING_FAILS as raised:
            error = failure(raised, server.username)
        took = self.clock.now() - began
        gave = tuple(f"{c.type} {c.host}:{c.port}" for c, _ in found)
        self.on_tried(ServerTried(url.url, error, took, gave))
        return url, found

    async def _relayed(
        self, url: IceUrl, server: IceServer, new_protocol: Callable[[], StunProtocol]
    ) -> Gathered:
        await resolve(url.host, url.port)  # aioice asks for itself, and takes any address for one
        context = await tls_context(self.ca_file) if url.secure else None
        return await relayed_candidate(
            component=1,
            hide_related_address=self.relay_only,
            protocol_factory=new_protocol,
            turn_server=(url.host, url.port),
            turn_username=server.username,
            turn_password=server.credential.get_secret_value(),
            turn_ssl=context or False,  # type: ignore[arg-type]  # declared a bool, and handed on to asyncio
            turn_transport=url.transport,
        )

    async def _reflexive(self, url: IceUrl, hosts: Sequence[StunProtocol]) -> list[Gathered]:
        """From each IPv4 host address, over UDP, as browsers ask; raises what all of them met."""
        address = await resolve(url.host, url.port, socket.AF_INET)
        able = [p for p in hosts if ":" not in p.local_candidate.host]
        if not able:
            raise OSError("there is no IPv4 address to ask from")
        began = self.clock.now()
        waiting = {asyncio.create_task(server_reflexive_candidate(p, address)) for p in able}
        answered: list[Gathered] = []
        errors: list[BaseException] = []
        try:
            patience = None
            while waiting:
                done, waiting = await asyncio.wait(
                    waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
                errors += [e for task in done if (e := task.exception()) is not None]
                answered += [task.result() for task in done if task.exception() is None]
                if answered:
                    patience = max(GRACE_SECONDS, GRACE_TIMES * (self.clock.now() - began))
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        if not answered:
            raise errors[0]
        return answered


async def resolve(host: str, port: int, family: int = socket.AF_UNSPEC) -> tuple[str, int]:
    """The first address of a name. Raises socket.gaierror, also for one that is nobody's.

    A name server or hosts file that blocks a name answers 0.0.0.0 or ::, which many systems send to this
    machine itself: a server would seem silent whose name was taken away.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
    address = str(found[0][4][0])
    if ip_address(address).is_unspecified:
        raise socket.gaierror(
            socket.EAI_NONAME, f"{host} resolves to {address}: a name server or hosts file blocks it"
        )
    return address, port


async def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are verified, host name included, as browsers do; `ca_file` is trusted besides.

    Off the loop, which paces the calls of the process: reading the system's authorities takes 50 ms.
    """
    return await asyncio.to_thread(_tls_context, ca_file)


@cache
def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def _ranked(answers: Iterable[tuple[IceUrl, list[Gathered]]]) -> list[Gathered]:
    """Relayed candidates over UDP first, then TCP, then TLS, each with a priority of its own.

    RFC 8445, section 5.1.2.1: candidates of one type differ in their local preference.
    """
    found = [(url, one) for url, group in answers for one in group]
    relayed = [(url, one) for url, one in found if one[1] is not None]
    relayed.sort(key=lambda each: (each[0].transport == "tcp", each[0].secure))
    for rank, (_, (candidate, _)) in enumerate(relayed):
        candidate.priority -= rank << 8
    return [one for _, one in found if one[1] is None] + [one for _, one in relayed]


def _abandon(results: Iterable[object]) -> None:
    """Give up the allocations of a gathering that was broken off."""
    for result in results:
        if isinstance(result, tuple):
            for _, protocol in result[1]:
                if protocol is not None:
                    protocol.transport.close()
