"""What `rate_limits.updated` tells: requests and tokens left of this minute's."""

from __future__ import annotations

from typing import Any

from harness.fakes.openai.conversation.line import Line

MINUTE = 60.0


class RateLimits:
    """Counts, and tells; nothing is ever refused for them but by a fault."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._used = {"requests": 0, "tokens": 0}

    def use(self, *, requests: int = 0, tokens: int = 0) -> None:
        """Count what a response took."""
        self._used["requests"] += requests
        self._used["tokens"] += tokens

    def send(self) -> None:
        limits = [self._limit(name, limit) for name, limit in self._line.settings.rate_limits.items()]
        self._line.send("rate_limits.updated", rate_limits=limits)

    def _limit(self, name: str, limit: int) -> dict[str, Any]:
        used = self._used[name]
        return {
            "name": name,
            "limit": limit,
            "remaining": max(limit - used, 0),
            "reset_seconds": round(MINUTE * min(used / limit, 1), 3),
        }
