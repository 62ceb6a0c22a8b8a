"""Host candidates on sockets of our own, made as aioice makes its own (RFC 8445, section 5.1.1.1)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache

from aioice import Candidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import Connection

from harness.core.own_means import raise_for_want
from harness.peer.datagrams import open_datagrams
from harness.peer.protocol import CallProtocol

logger = logging.getLogger(__name__)


def host_protocols(
    connection: Connection, component: int, addresses: Sequence[str], on_dtls: Callable[[bytes], None]
) -> list[CallProtocol]:
    """One for each address that can be bound, with its candidate."""
    protocols = []
    for address in addresses:
        protocol = CallProtocol(connection, on_dtls)
        try:
            socket = open_datagrams(address, protocol)
        except OSError as error:
            raise_for_want(error, f"open a socket on {address}")
            logger.info("could not bind to %s: %s", address, error)
            continue
        protocol.connection_made(socket)
        host, port = socket.get_extra_info("sockname")[:2]
        protocol.local_candidate = Candidate(
            foundation=_foundation(host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=host,
            port=port,
            type="host",
        )
        protocols.append(protocol)
    return protocols


@lru_cache
def _foundation(host: str) -> str:
    return candidate_foundation("host", "udp", host)


def without_redundant(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One of those that share transport address and base (RFC 8445, section 5.1.3): the first."""
    kept: dict[tuple[object, ...], Candidate] = {}
    for c in candidates:
        reflexive = c.type == "srflx"
        base = (c.related_address, c.related_port) if reflexive else (c.host, c.port)
        kept.setdefault((c.host, c.port, base), c)
    return list(kept.values())
