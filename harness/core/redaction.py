"""Secrets never reach a timeline, a report or a log: everything written passes through a `Redactor`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

REDACTED = "[redacted]"

# Headers whose value is a credential whatever it looks like (RFC 9110, 6265, and what proxies use).
SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api-key",
        "x-auth-token",
        "x-csrf-token",
    }
)

# OpenAI's key shapes: `sk-…`, and the ephemeral `ek_…`.
KEY_PATTERN = re.compile(r"\b(?:sk-[A-Za-z0-9_-]{16,}|ek_[A-Za-z0-9_-]{16,})")

SHORTEST_SECRET = 6  # replacing anything shorter would eat ordinary text


class Redactor:
    """Replaces known secrets, and whatever looks like an OpenAI key, by `[redacted]`.

    A key that a relay leaks is replaced too; what remains is `[redacted]` with its first characters, so
    that the leak itself can still be shown.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest_first = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, value: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            value = self._known.sub(REDACTED, value)
        return KEY_PATTERN.sub(lambda m: f"{m.group()[:3]}{REDACTED}", value)

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Headers with credentials replaced; the scheme of an Authorization stays readable."""
        return tuple((name, self._header(name, value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if name.lower() not in SECRET_HEADERS:
            return self.text(value)
        scheme, space, _ = value.partition(" ")
        return f"{scheme} {REDACTED}" if space and scheme.lower() in ("bearer", "basic") else REDACTED

    def value(self, value: Any) -> Any:
        """JSON values, redacted in depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value
