"""Why a STUN or TURN server gave nothing, in one line that holds no secret."""

from __future__ import annotations

import os
import re
import socket
import ssl

from aioice import stun

from harness.core.clock import unix_time

TIMEOUT = "timeout"
LONGEST_WORDS = 200  # characters of what a server says

# What can go wrong with a server's answer: a missing attribute, a malformed one, an end of the connection.
ASKING_FAILS = (OSError, stun.TransactionError, ValueError, KeyError)

# RFC 8656, section 19; RFC 8489, section 14.8. Servers word their reasons differently, or send none.
_MEANINGS = {
    300: "try another server",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    437: "Allocation Mismatch",
    438: "Stale Nonce",
    440: "Address Family not Supported",
    441: "Wrong Credentials",
    442: "Unsupported Transport Protocol",
    486: "Allocation Quota Reached",
    500: "Server Error",
    508: "Insufficient Capacity",
}
# TURN REST API: the username is the second of 1970 at which it expires, then a colon and a name.
_TIME_LIMITED = re.compile(r"(?:\S+:)?(\d{9,11})(?::.*)?")


def failure(error: BaseException, username: str = "") -> str:
    """`timeout`, `unresolved: …`, `unreachable: …`, `certificate: …`, `tls: …`, `unusable: …`, `401 …`."""
    match error:
        case stun.TransactionFailed():
            return _refusal(error.response, username)
        case TimeoutError() | stun.TransactionTimeout():
            return TIMEOUT
        case socket.gaierror():
            return f"unresolved: {error.strerror}"
        case ssl.SSLCertVerificationError():
            return f"certificate: {error.verify_message}"
        case ssl.SSLError():
            return f"tls: {getattr(error, 'reason', None) or error}"
        case ConnectionError() if type(error) is ConnectionError:
            return f"unusable: {error}"  # aioice's word for an answer that lacks something
        case OSError():
            # asyncio's own text names the address, which is known, and leaves out the reason.
            return f"unreachable: {os.strerror(error.errno) if error.errno else error}"
        case KeyError():
            return f"unusable: the answer has no {error.args[0]}"
        case _:
            return f"unusable: {error}"


def printable(text: str) -> str:
    """What a server said, without what would move a terminal's cursor, and not endlessly."""
    return "".join(c for c in text if c.isprintable()).strip()[:LONGEST_WORDS]


def expired_at(username: str) -> int | None:
    """The second of 1970 at which a time-limited username ended; None for one that has not, or has no end."""
    found = _TIME_LIMITED.fullmatch(username)
    return int(found[1]) if found and int(found[1]) < unix_time() else None


def _refusal(response: stun.Message, username: str) -> str:
    code, reason = response.attributes.get("ERROR-CODE", (0, "the server refused without a code"))
    said = f"{code} {printable(reason) or _MEANINGS.get(code, '')}".rstrip() if code else f"400 {reason}"
    if code == 401 and (end := expired_at(username)) is not None:
        return f"{said}: the credential expired {_ago(unix_time() - end)} ago"
    return said


def _ago(seconds: int) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
