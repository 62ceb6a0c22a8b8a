"""The forms in which a known secret may stand in a text: encoded, escaped, in another case, or cut.

Whoever echoes what we sent may encode it on the way: for a URL, JSON or HTML, or as base64.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator, Sequence

SHORTEST_SECRET = 6  # replacing anything shorter would eat ordinary text
_PART = 8  # characters at either end that are told of a secret as if they were harmless
_SHORTEST_WITH_PARTS = 16  # of a shorter one, its ends are half of it
_PUBLIC = re.compile(r"sk-(?:proj-|admin-|svcacct-)?|ek_")  # what all keys of OpenAI begin with
_WORDS = re.compile(r"[a-z]+(?:[-_. ][a-z]*)*")  # ordinary text would be eaten
_ESCAPING = re.compile(r"[%\\&]")


class SecretForms:
    """One secret, found in every known form."""

    def __init__(self, secret: str) -> None:
        self._whole, self._secret = secret, secret.lower()
        self._plain = re.compile(re.escape(secret), re.IGNORECASE)
        self._escaped = re.compile("".join(map(_escaped, secret)), re.IGNORECASE)
        raw = secret.encode("utf-8", "surrogatepass")
        in_hex = r"(?:[:\s-]|\\x|0x)?".join(f"{byte:02x}" for byte in raw)
        self._hex = re.compile(in_hex, re.IGNORECASE)
        self._base64 = re.compile("|".join(sorted(_base64(raw), key=len, reverse=True)))
        self._shortest_base64 = len(raw) * 4 // 3 - 4
        self._ends = _ends(secret)
        self._has_blank = " " in secret  # which a form writes as +

    def spans(self, text: str, lowered: str) -> Iterator[tuple[int, int]]:
        """Where it stands: start and end of each place, which may overlap. `lowered`: the text in lower case.

        Most texts are short and hold none, so what costs little is asked first.
        """
        if self._whole in text or self._secret in lowered:
            yield from (found.span() for found in self._plain.finditer(text))
        if len(text) >= 2 * len(self._whole):
            yield from (found.span() for found in self._hex.finditer(text))
        if len(text) >= self._shortest_base64:
            yield from (found.span() for found in self._base64.finditer(text))
        if _ESCAPING.search(text) or (self._has_blank and "+" in text):
            yield from (found.span() for found in self._escaped.finditer(text))
        head, tail = self._ends
        if head and head in lowered:
            for found in re.finditer(re.escape(head), text, re.IGNORECASE):
                yield found.start(), found.start() + self._common(text[found.start() :][: len(self._secret)])
        if tail and tail in lowered:
            for found in re.finditer(re.escape(tail), text, re.IGNORECASE):
                yield found.end() - self._common_end(text[: found.end()][-len(self._secret) :]), found.end()

    def _common(self, text: str) -> int:
        """How many characters of the secret's beginning the text begins with."""
        return _alike(text.lower(), self._secret)

    def _common_end(self, text: str) -> int:
        """How many of its last the text ends with."""
        return _alike(text.lower()[::-1], self._secret[::-1])


def _alike(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _escaped(character: str) -> str:
    """A pattern of the character as it is, or as JSON, HTML and URLs (once or twice) write it."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    in_json = "".join(rf"\\+u{units[i : i + 4]}" for i in range(0, len(units), 4))
    in_url = "".join(rf"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    forms = [
        rf"\\*{re.escape(character)}",
        in_json,
        in_url,
        f"&#0*{ord(character)};",
        f"&#x0*{ord(character):x};",
    ]
    if ord(character) < 256:
        forms.append(rf"\\+x{ord(character):02x}")
    if (named := html.escape(character)) != character:
        forms.append(re.escape(named))
    if character == " ":
        forms.append(r"\+")
    if character in "\b\f\n\r\t":
        forms.append(r"\\+" + {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}[character])
    return f"(?:{'|'.join(forms)})"


def _base64(raw: bytes) -> Iterator[str]:
    """Patterns of what base64 and base64url make of it, whatever stands before it.

    Three bytes become four characters, so there are three ways; the characters at either end also hold bits
    of what is beside it.
    """
    for offset, begins in ((0, 0), (1, 2), (2, 3)):
        made = base64.b64encode(bytes(offset) + raw).decode().rstrip("=")
        core = made[begins : (offset + len(raw)) * 8 // 6]
        # A line may be wrapped anywhere (RFC 2045), and a URL writes + and / in its own way.
        each = {"+": r"(?:[+-]|%2[Bb])", "/": r"(?:[/_]|%2[Ff])"}
        pattern = r"(?:\\r|\\n|\s)*".join(each.get(c, c) for c in core)
        yield rf"[A-Za-z0-9+/_-]{{0,3}}{pattern}[A-Za-z0-9+/_-]{{0,3}}={{0,2}}"


def _ends(secret: str) -> tuple[str, str]:
    """Its first and last characters in lower case; empty where they are half of it."""
    if len(secret) < _SHORTEST_WITH_PARTS:
        return "", ""
    public = _PUBLIC.match(secret)
    # Of what reads like words as much is taken as is no ordinary text: what follows them, or half of it all.
    sizes = [*range(_PART, len(secret) // 2), len(secret) // 2]
    head = secret[: max(_PART, public.end() + 4)] if public else _no_words([secret[:n] for n in sizes])
    return head.lower(), _no_words([secret[-n:] for n in sizes]).lower()


def _no_words(ends: Sequence[str]) -> str:
    """The first that does not read like words; the last where all do."""
    return next((end for end in ends if not _WORDS.fullmatch(end)), ends[-1])
