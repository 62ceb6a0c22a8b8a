"""The ways for a relay to misbehave, by name. Importing this package registers them."""

from harness.fakes.relay.faults import answers, asking, failures, forwarding, front, offers, security

__all__ = ["answers", "asking", "failures", "forwarding", "front", "offers", "security"]
