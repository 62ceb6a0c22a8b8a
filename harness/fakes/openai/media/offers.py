"""Judging an offer as the real server's parser does, which is stricter than aiortc's (docs/fake.md)."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from harness.core.caller_end import SdpUnusableError
from harness.core.sdp import Candidate, SessionDescription, parse_sdp
from harness.fakes.openai.errors import unparsable_offer, unusable_offer
from harness.peer.remote import Remote

SESSION_LINES_NEEDED = ("o=", "s=", "t=")  # RFC 8866, section 5
MOST_SECTIONS = 32


def read_offer(body: bytes) -> SessionDescription:
    """The offer; raises ApiError with the real server's words for what is wrong with it."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise unparsable_offer("sdp: invalid syntax") from error
    if not text.endswith("\n"):
        # The parser reads to the end of each line, so a trimmed final CRLF is an unexpected end.
        raise unparsable_offer("EOF")
    _check_syntax(text)
    offer = parse_sdp(text)
    if any(not any(line.startswith(k) for line in offer.session_lines) for k in SESSION_LINES_NEEDED):
        raise unparsable_offer("sdp: invalid syntax")
    audio = offer.section("audio")
    if audio is None or audio.rejected or audio.codec("opus") is None or len(offer.sections) > MOST_SECTIONS:
        raise unusable_offer()
    return offer


def read_remote(offer: SessionDescription) -> Remote:
    """The caller's transport; raises ApiError where it names none.

    We answer as the active end wherever the offer leaves it open, so the caller is the passive one. Only
    candidates that can be reached as they stand are kept: a browser's mDNS names are of no use to a server,
    which learns the address from the checks that come in.
    """
    try:
        remote = Remote.from_sdp(offer)
    except SdpUnusableError as error:
        raise unusable_offer() from error
    usable = tuple(dict.fromkeys(c for c in remote.candidates if _reachable(c)))
    ours = "passive" if remote.setup == "active" else "active"
    return replace(remote, candidates=usable).answered(ours)


def _check_syntax(text: str) -> None:
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n")[:-1]):
        if number == 0 and line != "v=0":
            raise unparsable_offer(f"sdp: invalid syntax `{line[:32]}`")
        if len(line) < 2 or line[1] != "=" or not line[0].islower() or not line[0].isascii():
            raise unparsable_offer(f"sdp: invalid syntax `{line[:32]}`")
        if line.startswith("m=") and not _is_m_line(line):
            raise unparsable_offer(f"sdp: invalid syntax `{line[:32]}`")


def _is_m_line(line: str) -> bool:
    words = line[2:].split()
    port = words[1].partition("/")[0] if len(words) >= 4 else ""
    return port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535


def _reachable(candidate: Candidate) -> bool:
    try:
        address = ipaddress.ip_address(candidate.address)
    except ValueError:
        return False
    return (
        candidate.protocol == "udp"
        and candidate.component == 1
        and 0 < candidate.port <= 65535
        and candidate.type in ("host", "srflx", "prflx", "relay")
        and not address.is_unspecified
        and not address.is_multicast
        and "%" not in candidate.address
    )
