"""Finding the offer in what a page posts, however it is wrapped. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from harness.core.sdp import parse_sdp

LARGEST_BODY = 1 << 20  # characters that are looked at: an offer has a few thousand
DEEPEST = 6
_SDP = re.compile(r"v=0\r?\n.*?(?=\r?\n--|\Z)", re.DOTALL)  # a part of a form ends before its boundary


def find_offer(body: str) -> str | None:
    """The first SDP with ICE credentials in a body that is SDP, JSON or a form; None where there is none."""
    body = body[:LARGEST_BODY]
    for text in _texts(body):
        found = _SDP.search(text)
        if found and "a=ice-ufrag:" in found.group():
            return found.group() if text is not body or _is_form(body) else text[found.start() :]
    return None


def ufrag_of(sdp: str) -> str:
    """Its ice-ufrag; empty where it has none."""
    return parse_sdp(sdp).ice_ufrag or ""


def _is_form(body: str) -> bool:
    return body.lstrip().startswith("--")


def _texts(body: str) -> Iterator[str]:
    if body.lstrip()[:1] in ("{", "[", '"'):
        try:
            yield from _strings(json.loads(body))
        except (ValueError, RecursionError):
            pass
        else:
            return
    yield body


def _strings(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if value[:1] == "{" and depth < DEEPEST:  # an offer that was made JSON twice
            try:
                yield from _strings(json.loads(value), depth + 1)
            except (ValueError, RecursionError):
                return
    elif isinstance(value, dict | list) and depth < DEEPEST:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item, depth + 1)
