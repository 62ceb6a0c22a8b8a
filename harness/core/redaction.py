"""Secrets never reach a timeline, a report or a log: everything written passes through a `Redactor`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

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

# OpenAI's key shapes: `sk-…`, and the ephemeral `ek_…`. Not inside a word (`risk-…`, `week_…`), but also
# after `_`, a digit (`%22sk-…` in a URL), or the letter of an escape (`\nsk-…` in JSON).
KEY_PATTERN = re.compile(r"(?:(?<![A-Za-z])|(?<=\\[bfnrt]))(?:sk-|ek_)[A-Za-z0-9_-]{16,}")

SHORTEST_SECRET = 6  # replacing anything shorter would eat ordinary text


class Redactor:
    """Replaces known secrets, and whatever looks like an OpenAI key, by `[redacted]`.

    A secret is found as it is, as it stands in JSON, and as it stands in a URL. Of what looks like a key,
    also one that a relay leaks, `sk-[redacted]` or `ek_[redacted]` remains: so a leak can be shown, and a
    secret key told from an ephemeral one. Secrets of under `SHORTEST_SECRET` characters are found in
    credential headers only: the usual ones, and those named in `headers`.
    """

    def __init__(self, secrets: Iterable[str] = (), *, headers: Iterable[str] = ()) -> None:
        self._headers = SECRET_HEADERS | {name.lower() for name in headers}
        known = {form for s in secrets if len(s) >= SHORTEST_SECRET for form in _forms(s)}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, value: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            value = self._known.sub(lambda m: _remains(m.group()), value)
        return KEY_PATTERN.sub(lambda m: _remains(m.group()), value)

    def data(self, value: bytes) -> bytes:
        """The bytes without secrets; all else, also what is no UTF-8, stays as it is."""
        return self.text(value.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Headers with credentials replaced; an Authorization's scheme and kind of key stay readable."""
        return tuple((name, self._header(name, value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if name.lower() not in self._headers:
            return self.text(value)
        scheme, space, credential = value.partition(" ")
        if space and scheme.lower() in ("bearer", "basic"):
            return f"{scheme} {_kind(credential)}{REDACTED}"
        return f"{_kind(value)}{REDACTED}"

    def value(self, value: Any) -> Any:
        """JSON values, redacted in depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


def leaked_key(text: str) -> str | None:
    """The first thing that looks like an OpenAI key, redacted: proof of a leak without the leak."""
    found = KEY_PATTERN.search(text)
    return _remains(found.group()) if found else None


def known(secret: str) -> str:
    """What may be shown of a text that is known to be a secret."""
    return _remains(secret)


def _remains(secret: str) -> str:
    """What may be shown of a secret: of a key its kind, of all else nothing."""
    return f"{_kind(secret)}{REDACTED}" if KEY_PATTERN.match(secret) else REDACTED


def _kind(key: str) -> str:
    """How a key of OpenAI's begins, however short it is: `sk-test` is given to a fake."""
    return key[:3] if key.startswith(("sk-", "ek_")) else ""


def _forms(secret: str) -> set[str]:
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    in_urls = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    return {secret} | in_json | in_urls
