"""One STUN or TURN server by itself, step by step as a call uses it, to data through the relay and back."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.config.ice import IceServer, IceUrl
from harness.core.clock import Clock, MonotonicClock
from harness.network.failures import ASKING_FAILS, TIMEOUT, failure
from harness.network.gathering import resolve, tls_context
from harness.network.probe_causes import STUN_ONLY, ProbeCause, cause_of
from harness.network.turn_client import Address, TurnClient, connected, open_echo

T = TypeVar("T")

BINDING_GRACE_SECONDS = 0.5  # for a TURN server's Binding, once the server answered the rest
REPEAT_SECONDS = 0.25  # UDP loses packets
LOOP_SECONDS = 1.0  # for data that the server sends to itself, before another way is tried
DISCARD_PORT = 9  # RFC 863: a permission is for a host, a channel for a port, and nothing is sent there


@dataclass(frozen=True)
class ProbeStep:
    """One thing that was asked for: `seconds` it took, `error` where it failed, `detail` what it gave."""

    name: str
    seconds: float
    error: str = ""
    detail: str = ""


@dataclass
class Probe:
    """What came of one URL. `candidates`: each `type address:port`. `cause` is None where all of it works."""

    url: IceUrl
    address: str = ""
    realm: str = ""
    candidates: list[str] = field(default_factory=list)
    steps: list[ProbeStep] = field(default_factory=list)
    cause: ProbeCause | None = None

    @property
    def works(self) -> bool:
        return self.cause is None


async def probe_all(
    servers: Sequence[IceServer], *, within: float = 5.0, realm: str = "", ca_file: Path | None = None
) -> list[Probe]:
    """Every URL of every server, side by side, in their order.

    `within`: seconds that each step is given. `realm`: the one that is expected, if any. `ca_file`: an
    authority to trust besides the system's. Never raises for what a server does.
    """
    probings = [
        _Probing(Probe(url), server, within, realm, ca_file) for server in servers for url in server.parsed()
    ]
    if any(probing.probe.url.secure for probing in probings):
        await tls_context(ca_file)  # read before any time is taken
    return await asyncio.gather(*(probing.run() for probing in probings))


class _StepFailed(Exception):  # noqa: N818  (no error of ours: the probe ends, and its last step says why)
    """The server does not do this, so what comes after makes no sense."""


@dataclass
class _Probing:
    probe: Probe
    server: IceServer
    within: float
    realm: str
    ca_file: Path | None
    clock: Clock = field(default_factory=MonotonicClock)

    async def run(self) -> Probe:
        probe = self.probe
        try:
            async with AsyncExitStack() as stack:
                client = await self._connect(stack)
                await (self._turn(client) if probe.url.turn else self._stun(client))
        except _StepFailed:
            probe.cause = cause_of(probe.steps[-1].name, probe.steps[-1].error, probe.url)
        if self.realm and probe.realm and probe.realm != self.realm:
            # Said first: credentials of one realm are wrong in another.
            probe.cause = cause_of("allocate", f"realm {probe.realm!r} instead of {self.realm!r}", probe.url)
        return probe

    async def _connect(self, stack: AsyncExitStack) -> TurnClient:
        url = self.probe.url
        address = await self._step("resolve", resolve(url.host, url.port), lambda a: a[0])
        self.probe.address = f"{address[0]}:{address[1]}"
        credential = self.server.credential.get_secret_value()
        opening = stack.enter_async_context(
            connected(url, address, self.server.username, credential, self.ca_file)
        )
        client, seconds, error = await self._timed(opening)
        if client is None or url.transport == "tcp":  # over UDP nothing is sent yet
            self._say("connect", seconds, error, "" if error else "TLS" if url.secure else "TCP")
        if client is None:
            raise _StepFailed
        return client

    async def _stun(self, client: TurnClient) -> None:
        mapped = await self._step("binding", client.binding(), _shown("srflx"))
        self._found("srflx", mapped)

    async def _turn(self, client: TurnClient) -> None:
        binding = asyncio.ensure_future(self._timed(client.binding()))
        try:
            relayed = await self._allocate(client, binding)
            await self._permit_and_send(client, relayed)
        finally:
            binding.cancel()
            await asyncio.gather(binding, return_exceptions=True)

    async def _allocate(
        self, client: TurnClient, binding: asyncio.Future[tuple[Address | None, float, str]]
    ) -> Address:
        relayed, seconds, error = await self._timed(client.allocate())
        self.probe.realm = client.realm
        await asyncio.wait({binding}, timeout=BINDING_GRACE_SECONDS)
        mapped, took, why = binding.result() if binding.done() else (None, BINDING_GRACE_SECONDS, TIMEOUT)
        # Anybody may ask for a Binding, so it tells a server that is there from one that lets us in.
        if mapped is not None:
            self._say("binding", took, detail=_shown("srflx")(mapped))
            error = STUN_ONLY if error == TIMEOUT else error
        elif relayed is not None:
            self._say("binding", took, detail=f"{why}; TURN works without")
        realm = f", realm {client.realm}" if client.realm else ""
        self._say("allocate", seconds, error, "" if relayed is None else f"{_shown('relay')(relayed)}{realm}")
        if relayed is None:
            raise _StepFailed
        if self.probe.url.transport == "udp" and client.mapped_address is not None:
            self._found("srflx", client.mapped_address)  # of UDP only: candidates of calls are UDP
        self._found("relay", relayed)
        return relayed

    async def _permit_and_send(self, client: TurnClient, relayed: Address) -> None:
        hosts = [relayed[0]]
        if client.mapped_address is not None and client.mapped_address[0] not in hosts:
            hosts.append(client.mapped_address[0])
        permitted = await self._step(
            "permission", self._permit(client, relayed, hosts), lambda p: f"for {' and '.join(p)}"
        )
        await self._step("data", self._send(client, relayed, permitted), lambda way: way)

    async def _permit(self, client: TurnClient, relayed: Address, hosts: Sequence[str]) -> list[str]:
        """Those of the hosts that the server may relay to; raises its refusal of the last, where of all."""
        permitted: list[str] = []
        for host in hosts:
            try:
                await client.permit(relayed if host == relayed[0] else (host, DISCARD_PORT))
                permitted.append(host)
            except ASKING_FAILS:
                if host == hosts[-1] and not permitted:
                    raise
        return permitted

    async def _send(self, client: TurnClient, relayed: Address, permitted: Sequence[str]) -> str:
        """Through the relay to its own address, which needs no UDP from here; else to a socket of ours."""
        if relayed[0] in permitted:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOP_SECONDS):
                    await _round(client, relayed)
                    return "out and back through its own address"
        async with open_echo(relayed) as echo:
            message = secrets.token_bytes(16)
            while True:
                echo.transport.sendto(message)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REPEAT_SECONDS):
                        seen = await client.inbox.receive(message)
                        await client.send(message[::-1], seen)
                        await echo.receive(message[::-1])
                        return "between this machine and the relay"

    # --- one step ---

    async def _step(self, name: str, asking: Awaitable[T], detail: Callable[[T], str]) -> T:
        result, seconds, error = await self._timed(asking)
        if result is None:
            self._say(name, seconds, error)
            raise _StepFailed
        self._say(name, seconds, detail=detail(result))
        return result

    async def _timed(self, asking: Awaitable[T]) -> tuple[T | None, float, str]:
        """The result, or None and what went wrong; and the seconds that it took."""
        began = self.clock.now()
        try:
            async with asyncio.timeout(self.within):
                return await asking, self.clock.now() - began, ""
        except ASKING_FAILS as error:
            return None, self.clock.now() - began, failure(error, self.server.username)

    def _say(self, name: str, seconds: float, error: str = "", detail: str = "") -> None:
        self.probe.steps.append(ProbeStep(name, seconds, error, detail))

    def _found(self, kind: str, address: Address) -> None:
        self.probe.candidates.append(_shown(kind)(address))


async def _round(client: TurnClient, relayed: Address) -> None:
    message = secrets.token_bytes(16)
    while True:
        await client.send(message, relayed)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REPEAT_SECONDS):
                await client.inbox.receive(message)
                return


def _shown(kind: str) -> Callable[[Address], str]:
    return lambda address: f"{kind} {address[0]}:{address[1]}"
