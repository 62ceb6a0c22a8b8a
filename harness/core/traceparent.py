"""The header `traceparent` (W3C Trace Context, version 00): by it a relay's trace joins that of the call."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

HEADER = "traceparent"
_FORM = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(frozen=True)
class TraceParent:
    """A call's trace, and the span that is its root."""

    trace: int
    span: int

    def __str__(self) -> str:
        return f"00-{self.trace:032x}-{self.span:016x}-01"  # 01: sampled

    @classmethod
    def new(cls) -> TraceParent:
        """One that nobody else has: never from the run's seed, since the same run may be made again."""
        return cls(secrets.randbits(128) or 1, secrets.randbits(64) or 1)  # all zeros are invalid

    @classmethod
    def read(cls, text: str) -> TraceParent | None:
        """As it was sent; None where it is none."""
        found = _FORM.fullmatch(text)
        return cls(int(found[1], 16), int(found[2], 16)) if found else None
