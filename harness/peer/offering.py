"""What every offer is written from: our transport's parameters, and what candidates' lines need."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from harness.core.sdp import Candidate
from harness.peer.written import Described

SCTP_PORT = 5000
DISCARD = 9  # the port of an active TCP candidate (RFC 6544, section 4.5), and of a section without any
NOBODY = "2001:db8::1"  # RFC 3849: for documentation, so nobody has it


@dataclass(frozen=True)
class Offering:
    """What an offer says of its caller. `spare`: ports that are bound for sections of their own."""

    transport: Described
    ssrc: int
    cname: str = ""
    spare: Sequence[int] = ()
    stream: str = field(default_factory=lambda: str(uuid.uuid4()))
    track: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def candidates(self) -> list[Candidate]:
        """Ours, with one of IPv6 among them, so that a relay meets one from every machine."""
        found = list(self.transport.candidates)
        hosts = [c for c in found if c.type == "host"]
        if hosts and all(version(c) == 4 for c in hosts):
            found.insert(found.index(hosts[-1]) + 1, replace(hosts[-1], address=NOBODY))
        return found

    def spare_candidates(self, first: int = 0, step: int = 1) -> list[Candidate]:
        """Ours as they would be for a section that is not bundled: hosts, on ports that nobody else has.

        Without hosts, the same as for the first section: what a TURN server gave cannot be had twice.
        """
        hosts = [c for c in self.candidates if c.type == "host"]
        if not hosts or not self.spare:
            return self.candidates
        ports = self.spare[first::step]
        return [replace(c, port=ports[i % len(ports)]) for i, c in enumerate(hosts)]


def default_of(candidates: Sequence[Candidate]) -> Candidate | None:
    """The one that most likely works: relayed, then reflexive, then host, IPv4 first (RFC 8839, 4.2.1.2)."""
    order = {"relay": 0, "srflx": 1}
    return min(candidates, key=lambda c: (order.get(c.type, 2), version(c)), default=None)


def priority(candidate: Candidate, preference: int, network: int) -> int:
    """RFC 8445, section 5.1.2.1: the type, for hosts with this preference, then the network, IPv6 first."""
    preference = {"srflx": 100, "relay": 2}.get(candidate.type, preference)
    local = 32_286 + (256 if version(candidate) == 6 else 0) - network
    return (preference << 24) + (local << 8) + 255


def version(candidate: Candidate) -> int:
    """4 or 6."""
    return _version(candidate.address)


@lru_cache
def _version(address: str) -> int:
    return ipaddress.ip_address(address).version


def connection_line(default: Candidate | None) -> str:
    """The address that goes with the section's port (RFC 8866, section 5.7)."""
    return f"c=IN IP{version(default)} {default.address}" if default else "c=IN IP4 0.0.0.0"


def port_of(default: Candidate | None) -> int:
    """The section's port."""
    return default.port if default else DISCARD


def joined(*sections: Iterable[str]) -> str:
    """The lines, each with its end."""
    return "".join(f"{line}\r\n" for section in sections for line in section)
