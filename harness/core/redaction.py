"""Secrets never reach a timeline, a report or a log: everything written passes through a `Redactor`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from harness.core.secret_forms import SHORTEST_SECRET as SHORTEST_SECRET
from harness.core.secret_forms import SecretForms

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

# What lets somebody in, told by its look: a JSON Web Token (RFC 7519), and the value of an Authorization
# (RFC 9110, section 11.6.2) however it is written: in a header, in JSON, in a URL, in a dump of an object.
JWT_PATTERN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_QUOTE = r"(?:\\*[\"']|%22|&quot;|&#3[49];)"
_AUTHORIZATION = re.compile(
    rf"(?P<kept>authorization(?:{_QUOTE}?\s*(?::|=>?|%3a|%3d)|{_QUOTE},)(?:\s|%20|\+)*{_QUOTE}?)"
    r"(?P<scheme>(?:bearer|basic|digest|token|apikey|negotiate)(?:\s|%20|\+)+)?"
    r"(?P<gone>[^\s\"'&,;<>{}\\]{4,})",
    re.IGNORECASE,
)
_BEARER = re.compile(  # RFC 6750, section 2.1
    r"(?P<kept>)(?P<scheme>\bbearer(?:\s|%20|\+){1,3})"
    r"(?P<gone>(?=[A-Za-z._~+/-]{0,200}[0-9])[A-Za-z0-9._~+/-]{16,}=*)",
    re.IGNORECASE,
)
_GONE = re.compile(r"(?:sk-|ek_)?\[redacted\]\W*")
# What a Link to a TURN server has (RFC 9725, section 4.6): whose look tells nothing.
_LINK_CREDENTIAL = re.compile(r"(\bcredential\s*=\s*)(?:\"[^\"]*\"|[^\s;,\"]+)", re.IGNORECASE)
LONGEST_WORD = 20  # letters: more are no word


class Redactor:
    """Replaces known secrets, and whatever looks like a credential, by `[redacted]`.

    A known secret is found in the forms of `secret_forms`: as it is, encoded, escaped, or cut. Of what looks
    like an OpenAI key, also one that a relay leaks, `sk-[redacted]` or `ek_[redacted]` remains: so a leak can
    be shown, and a secret key told from an ephemeral one. Tokens (JWT) and values of Authorization go too.
    Secrets of under `SHORTEST_SECRET` characters are found in credential headers only: the usual ones, and
    those named in `headers`; where they are configured, they are refused.
    """

    def __init__(self, secrets: Iterable[str] = (), *, headers: Iterable[str] = ()) -> None:
        self._headers = SECRET_HEADERS | {name.lower() for name in headers}
        known = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._known = [_forms(secret) for secret in known]

    def text(self, value: str) -> str:
        """The text without secrets."""
        if len(value) < SHORTEST_SECRET:
            return value
        lowered = value.lower()
        spans = sorted(span for forms in self._known for span in forms.spans(value, lowered))
        if spans:
            value = _without(value, spans)
        if "authorization" in lowered or "bearer" in lowered:
            for pattern in (_AUTHORIZATION, _BEARER):
                value = pattern.sub(_credential, value)
        if "eyJ" in value:
            value = JWT_PATTERN.sub(REDACTED, value)
        return KEY_PATTERN.sub(lambda m: _remains(m.group()), value)

    def data(self, value: bytes) -> bytes:
        """The bytes without secrets; all else, also what is no UTF-8, stays as it is."""
        return self.text(value.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Headers with credentials replaced; an Authorization's scheme and kind of key stay readable."""
        return tuple((name, self._header(name, value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if name.lower() == "link":
            value = _LINK_CREDENTIAL.sub(rf'\g<1>"{REDACTED}"', value)
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


def _credential(found: re.Match[str]) -> str:
    kept, scheme, gone = found["kept"], found["scheme"] or "", found["gone"]
    is_word = not scheme and len(gone) < LONGEST_WORD and not any(map(str.isdigit, gone))
    if is_word or _GONE.fullmatch(gone):  # as in `Authorization: missing`; or redacted as a known secret
        return found.group()
    return kept + scheme + _remains(gone)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """What overlaps goes as one."""
    kept, at, open_from = [], 0, None
    for start, end in spans:
        if open_from is None or start > at:
            if open_from is not None:
                kept.append(_remains(text[open_from:at]))
            kept.append(text[at:start])
            open_from = start
        at = max(at, end)
    if open_from is not None:
        kept.append(_remains(text[open_from:at]))
    return "".join(kept) + text[at:]


@lru_cache(maxsize=64)
def _forms(secret: str) -> SecretForms:
    """Compiled once: every call of a run has a redactor of its own."""
    return SecretForms(secret)


def _remains(secret: str) -> str:
    """What may be shown of a secret: of a key its kind, of all else nothing."""
    return f"{_kind(secret)}{REDACTED}" if KEY_PATTERN.match(secret) else REDACTED


def _kind(key: str) -> str:
    """How a key of OpenAI's begins, however short it is: `sk-test` is given to a fake."""
    return key[:3] if key.startswith(("sk-", "ek_")) else ""
