"""Conformance and load tests for voice relays, with real WebRTC calls and recorded speech."""

__version__ = "0.1.0"
