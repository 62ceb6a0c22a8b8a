"""The ways for a relay to misbehave, by name. Importing this package registers them."""

from harness.fakes.relay.faults import answers, failures, forwarding, front, offers, security

__all__ = ["answers", "failures", "forwarding", "front", "offers", "security"]
