"""The ways for a relay to misbehave, by name. Importing this package registers them."""

from harness.fakes.faults.registry import RELAY_FAULTS
from harness.fakes.relay.faults import (
    answers,
    asking,
    failures,
    forwarding,
    front,
    gateways,
    limiting,
    minting,
    offers,
    security,
    sockets,
    whip,
)

__all__ = [
    "RELAY_FAULTS",
    "answers",
    "asking",
    "failures",
    "forwarding",
    "front",
    "gateways",
    "limiting",
    "minting",
    "offers",
    "security",
    "sockets",
    "whip",
]
