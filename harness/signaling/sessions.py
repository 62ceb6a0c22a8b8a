"""Sessions that a WHIP target makes of offers (RFC 9725): where each is, and how it is asked and ended."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

import httpx

from harness.config.target import Target
from harness.config.targets_file import same_origin
from harness.core import redirections
from harness.core.events import SessionProblem, WhipSession
from harness.core.probes import OFFER, WHIP_END
from harness.signaling.sending import HttpReply, OpenSession, Sender

FRAGMENT = "application/trickle-ice-sdpfrag"  # RFC 8840
MOST_REDIRECTIONS = 3
HOST_PRIORITY = 2122260223  # of a host candidate, component 1 (RFC 8445, section 5.1.2.1)
END_SECONDS = 4.0  # for a DELETE: the hang-up goes on without its answer
_ENOUGH_BITS = 64.0
# What stands where an address should be, in programs that have none.
_NO_ADDRESS = re.compile(r"undefined|null|none|nan|\[object object\]", re.IGNORECASE)
_SENDABLE = re.compile(r"[\x21-\x7e]+")


def opened(sender: Sender, target: Target, asked: str, reply: HttpReply, *, purpose: str) -> None:
    """Keep the session that an accepted offer to the URL `asked` made, so that it is ended with the call.

    Of an ordinary offer's it is recorded what its headers say.
    """
    location, etag = reply.header("location"), reply.header("etag")
    url, problem = located(target, asked, location)
    if url and not problem:
        sender.sessions.append(OpenSession(url, etag))
    if purpose == OFFER:
        sender.record(
            WhipSession(
                at=sender.clock.now(),
                location=sender.redactor.text(location),
                problem=problem,
                etag=sender.redactor.text(etag),
                guessable=bool(url) and bits_to_guess(url) < _ENOUGH_BITS,
            )
        )


def located(target: Target, asked: str, location: str) -> tuple[str, SessionProblem]:
    """The URL of a Location (RFC 9110, section 10.2.2: it may be relative), and why nothing is sent there."""
    if not location:
        return "", "missing"
    try:
        url = urljoin(asked, location)
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable or not _SENDABLE.fullmatch(url) or _NO_ADDRESS.fullmatch(location.rpartition("/")[2]):
        return "", "not-a-url"
    if url.partition("?")[0].rstrip("/") == asked.partition("?")[0].rstrip("/") and not parts.query:
        return url, "endpoint"
    return url, "" if may_be_told(target, url) else "elsewhere"


def may_be_told(target: Target, url: str) -> bool:
    """Whether the target's credentials may go there."""
    return any(same_origin(url, known) for known in (target.url, *target.wrapping.session_origins))


def bits_to_guess(url: str) -> float:
    """How many, at most, the last part of the path and the query leave to whoever guesses."""
    parts = urlsplit(url)
    text = re.sub(r"[^A-Za-z0-9]", "", parts.path.rstrip("/").rpartition("/")[2] + parts.query)
    alphabet = 10 if text.isdigit() else 16 if re.fullmatch(r"[0-9a-fA-F]*", text) else 36
    return len(text) * math.log2(alphabet)


def redirected(asked: str, reply: HttpReply) -> str:
    """Where a redirection leads that keeps the offer (a WHIP client follows it: section 4.5); else empty."""
    if reply.status not in redirections.KEEPING or not reply.header("location"):
        return ""
    try:
        url = urljoin(asked, reply.header("location"))
        return url if urlsplit(url).scheme in ("http", "https") and httpx.URL(url).host else ""
    except (ValueError, httpx.InvalidURL):
        return ""


async def ask(
    sender: Sender,
    target: Target,
    method: str,
    url: str,
    *,
    purpose: str,
    case: str = "",
    content: str = "",
    headers: Sequence[tuple[str, str]] = (),
    credentials: bool = True,
) -> HttpReply | None:
    """A request of WHIP's beside the offer, with the target's own headers; not waited for long."""
    named = [*headers, *target.request_headers(credentials=credentials)]
    request = sender.client.build_request(method, url, content=content.encode() or None, headers=named)
    seconds = min(sender.timeouts.answer, END_SECONDS)
    quick = replace(sender, timeouts=replace(sender.timeouts, answer=seconds))
    return await quick.send(request, purpose=purpose, case=case)


async def end_sessions(sender: Sender, target: Target, *, case: str = "") -> list[HttpReply | None]:
    """DELETE each session that is open (section 4.2): what its media server then does is judged later."""
    sessions, sender.sessions[:] = list(sender.sessions), []
    asked = (ask(sender, target, "DELETE", each.url, purpose=WHIP_END, case=case) for each in sessions)
    return list(await asyncio.gather(*asked))


def fragment(offer: str, found: Sequence[tuple[str, int]]) -> str:
    """The ICE part of an offer, as PATCH carries it (RFC 8840, section 4.4): the first section's.

    Where it lists no candidates, being older than they are, those `found` are: address and port.
    """
    lines = offer.splitlines()
    first = next((n for n, line in enumerate(lines) if line.startswith("m=")), len(lines))
    after = next((n for n in range(first + 1, len(lines)) if lines[n].startswith("m=")), len(lines))
    above = [line for line in lines[:first] if line.startswith(("a=ice-options", "a=group:"))]
    credentials = [
        next((line for line in lines if line.startswith(f"a={name}:")), "")
        for name in ("ice-ufrag", "ice-pwd")
    ]
    own = [line for line in lines[first:after] if line.startswith(("m=", "a=mid:"))]
    candidates = [line for line in lines[first:after] if line.startswith("a=candidate:")] or [
        f"a=candidate:{number} 1 udp {HOST_PRIORITY} {address} {port} typ host"
        for number, (address, port) in enumerate(found, start=1)
    ]
    kept = [*above, *own, *filter(None, credentials), *candidates, "a=end-of-candidates"]
    return "".join(f"{line}\r\n" for line in kept)
