"""Secrets: in every encoding and form, in every place that we write."""

from __future__ import annotations

import base64
import html
import json
import random
import re
import string
from collections.abc import Callable
from urllib.parse import quote

from harness.core.redaction import Redactor
from tools.attack.kinds import expect, kind

Encode = Callable[[str, random.Random], str]


def _b64(text: str, rng: random.Random, *, url: bool = False, bare: bool = False) -> str:
    """With something before and behind, so that it stands at any offset."""
    around = rng.randbytes(rng.randrange(7)), rng.randbytes(rng.randrange(7))
    raw = around[0] + text.encode() + around[1]
    made = (base64.urlsafe_b64encode(raw) if url else base64.b64encode(raw)).decode()
    return made.rstrip("=") if bare else made


ENCODINGS: dict[str, Encode] = {
    "as it is": lambda s, _: s,
    "base64": _b64,
    "base64url": lambda s, r: _b64(s, r, url=True),
    "base64url, no padding": lambda s, r: _b64(s, r, url=True, bare=True),
    "Basic": lambda s, r: _b64(f"user:{s}", r),
    "hex": lambda s, _: s.encode().hex(),
    "HEX": lambda s, _: s.encode().hex().upper(),
    "hex with colons": lambda s, _: s.encode().hex(":"),
    "\\x": lambda s, _: "".join(f"\\x{b:02x}" for b in s.encode()),
    "URL": lambda s, _: quote(s, safe=""),
    "URL twice": lambda s, _: quote(quote(s, safe=""), safe=""),
    "URL, every character": lambda s, r: "".join(
        f"%{b:02x}" if r.random() < 0.5 else f"%{b:02X}" for b in s.encode()
    ),
    "URL twice, every character": lambda s, _: "".join(f"%25{b:02X}" for b in s.encode()),
    "JSON": lambda s, _: json.dumps(s)[1:-1],
    "JSON twice": lambda s, _: json.dumps(json.dumps(s)[1:-1])[1:-1],
    "JSON, \\u": lambda s, _: "".join(f"\\u{ord(c):04x}" for c in s),
    "HTML": lambda s, _: html.escape(s),
    "HTML, decimal": lambda s, _: "".join(f"&#{ord(c)};" for c in s),
    "HTML, hexadecimal": lambda s, _: "".join(f"&#x{ord(c):X};" for c in s),
    "lower case": lambda s, _: s.lower(),
    "upper case": lambda s, _: s.upper(),
    "first 8": lambda s, _: s[:8] + "…",
    "last 8": lambda s, _: "…" + s[-8:],
    "first and last 8": lambda s, _: f"{s[:8]}...{s[-8:]}",
    "cut at the end": lambda s, r: s[: r.randrange(len(s) // 2, len(s))],
    "backwards cut": lambda s, r: s[r.randrange(1, len(s) // 2) :],
}
WORDS = re.compile(r"[a-z]+(?:[-_. ][a-z]*)*")
PUBLIC = ("sk-proj-",)  # what all keys begin with says nothing
ALPHABETS = (
    string.ascii_letters + string.digits,
    string.ascii_letters + string.digits + "-_",
    string.ascii_letters + string.digits + "+/=&%\"'<>\\ ",
)


def _secret(rng: random.Random) -> str:
    alphabet = rng.choice(ALPHABETS)
    made = "".join(rng.choice(alphabet) for _ in range(rng.choice((16, 24, 40, 164)))).strip()
    return rng.choice(("", "", "sk-", "ek_", "sk-proj-")) + (made + "0123456789abcdef")[: max(16, len(made))]


def _carrier(rng: random.Random) -> tuple[str, str]:
    left = rng.choice(("", "token=", '{"k":"', "Bearer ", " ", "/", ">", "\\n", "%22", "x", "é"))
    return left, rng.choice(("", '"}', " ", "&x=1", "/", "<", "\\n", "%22", "é"))


@kind("secrets: in encodings")
def encodings(rng: random.Random) -> int:
    """A known secret in some encoding, among other text."""
    secret = _secret(rng)
    redactor = Redactor([secret, "another-secret-of-the-run"])
    for name, encode in ENCODINGS.items():
        found = encode(secret, rng)
        left, right = _carrier(rng)
        shown = redactor.text(left + found + right)
        core = _core(name, found, secret)
        if core in PUBLIC or WORDS.fullmatch(core):  # of what reads like words, the ends are not enough
            continue
        expect(core.lower() not in shown.lower(), f"{name}: {secret!r} as {found!r} in {shown!r}")
    return len(ENCODINGS)


def _core(name: str, found: str, secret: str) -> str:
    """What may in no case remain: the middle of the encoded form."""
    if name.startswith(("base64", "Basic")):
        return found[len(found) // 3 : 2 * len(found) // 3]
    if name == "first and last 8":
        return secret[:8]
    if "8" in name:
        return secret[:8] if "first" in name else secret[-8:]
    return found[len(found) // 4 : 3 * len(found) // 4]


@kind("secrets: split, and nobody's")
def split(rng: random.Random) -> int:
    """A secret over two events or chunks; keys, tokens and credentials that nobody configured."""
    secret = _secret(rng)
    redactor = Redactor([secret])
    at = rng.randrange(1, len(secret))
    parts = ("x" * rng.randrange(40) + secret[:at], secret[at:] + "y" * rng.randrange(40))
    shown = "|".join(map(redactor.text, parts))
    for start in range(len(secret) - 12):
        expect(secret[start : start + 12] not in shown, f"{secret!r} cut at {at} in {shown!r}")
    word = "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(40))
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"sub": word}).encode()).decode().rstrip("=")
    nobodys = (
        f"sk-{word}",
        f"sk-proj-{word}",
        f"ek_{word}",
        f"{head}.{body}.{word}",
        f"Authorization: Bearer {word}",
        f'"authorization": "Bearer {word}"',
        f"authorization=Basic%20{word}",
        f"Proxy-Authorization: Digest {word}",
        f"{{'Authorization': 'Bearer {word}'}}",
    )
    plain = Redactor()
    for text in nobodys:
        left, right = _carrier(rng)
        if left in ("x",):
            left = ""
        shown = plain.text(left + text + right)
        expect(word[4:30] not in shown and body[4:30] not in shown, f"{text!r} in {shown!r}")
    return 1 + len(nobodys)
