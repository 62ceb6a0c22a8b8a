"""A transport on paper: what a description says of an end that there is not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.core.sdp import Candidate

# RFC 5737: for documentation, so nobody has it and no packet reaches anybody.
NOBODY = Candidate("1", 1, "udp", 2_130_706_431, "192.0.2.1", 50_000, "host")
DIGEST_BYTES = 32  # of SHA-256


class Described(Protocol):
    """What a description says of a transport, be it there or on paper."""

    @property
    def ufrag(self) -> str: ...

    @property
    def pwd(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def candidates(self) -> Sequence[Candidate]: ...

    @property
    def lite(self) -> bool: ...

    @property
    def max_message_size(self) -> int: ...


@dataclass(frozen=True)
class WrittenTransport:
    """As a `Transport` describes itself. It has no socket, no key and no certificate."""

    ufrag: str
    pwd: str
    fingerprint: str
    candidates: Sequence[Candidate] = (NOBODY,)
    lite: bool = False
    max_message_size: int = 65_536


def drawn_fingerprint(rng: random.Random) -> str:
    """A fingerprint that is nobody's (RFC 8122, section 5)."""
    return rng.randbytes(DIGEST_BYTES).hex(":").upper()
