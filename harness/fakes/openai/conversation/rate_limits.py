"""What `rate_limits.updated` tells: the tokens left of this minute's."""

from __future__ import annotations

from harness.fakes.openai.conversation.line import Line

MINUTE = 60.0


class RateLimits:
    """Counts, and tells in the conversations that are told; nothing is ever refused for them."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._told = line.variation.either()
        self._used = 0

    def used(self, tokens: int) -> None:
        """A response is done and took so many."""
        self._used += tokens
        if not self._told:
            return
        limit = self._line.settings.tokens_per_minute
        tokens_left = {
            "name": "tokens",
            "limit": limit,
            "remaining": max(limit - self._used, 0),
            "reset_seconds": round(MINUTE * min(self._used / limit, 1), 3),
        }
        self._line.send("rate_limits.updated", rate_limits=[tokens_left])
