"""What the timeline has of a request for a key: the exchange, and what was read of its answer."""

from __future__ import annotations

from harness.core import probes
from harness.core.events import TokenMinted
from harness.core.timeline import Timeline
from harness.requirements.conditions import asked
from harness.requirements.exchanges import Exchange, exchanges
from harness.requirements.model import (
    Evidence,
    Source,
)

MINTED = asked(probes.MINT, "the target mints keys, and was asked for one")
OPENAI_KEYS = Source(
    "OpenAI, Realtime API with WebRTC, ephemeral tokens",
    "A server mints an ephemeral API key with its standard key, and the page authenticates with that.",
    "https://platform.openai.com/docs/guides/realtime-webrtc",
)


def told_of(timeline: Timeline, purpose: str = probes.MINT) -> TokenMinted | None:
    """What was read of the answer to a request of that purpose."""
    return timeline.first(TokenMinted, where=lambda e: e.purpose == purpose)


def mint_exchange(timeline: Timeline, purpose: str = probes.MINT) -> Exchange | None:
    """That request with its end."""
    return next(iter(exchanges(timeline, purpose)), None)


def key_seen(told: TokenMinted) -> tuple[Evidence, ...]:
    """The key as evidence: never itself."""
    left = "" if told.lifetime_s is None else f", {told.lifetime_s:.0f} s left"
    return (Evidence(told.at, f"a key of the kind {told.key} at {told.place or 'no place'}{left}"),)
