"""What every event has; the kinds are in the other files of `core.events`, by area."""

from __future__ import annotations

from typing import Literal

import msgspec

Side = Literal["caller", "upstream"]
Layer = Literal["gathering", "ice", "dtls", "sctp", "channel"]
Headers = tuple[tuple[str, str], ...]


def kebab(name: str) -> str:
    """`ServerEvent` → `server-event`."""
    return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag=kebab):
    """Something that happened at a moment."""

    at: float
    side: Side = "caller"
