"""The fake's front door: every endpoint, and what arrived there."""
