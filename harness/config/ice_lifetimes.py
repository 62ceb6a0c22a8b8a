"""How long fetched ICE servers may be used, as those who give them say it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from harness.config.ice import WRAPPINGS, IceServer
from harness.core.errors import UsageError

# Twilio, coturn's REST API and Cloudflare say ttl; others OAuth's word, or a duration of protobuf ("86400s").
LIFETIMES = ("ttl", "expires_in", "expiresIn", "lifetimeDuration")
# A username of coturn's REST API begins with the Unix time at which it expires.
_EXPIRES = re.compile(r"(\d{10})(?::|$)")


def lifetime_of(found: object, servers: Iterable[IceServer], where: str, *, unix_now: float) -> float | None:
    """Seconds that the servers of an answer last; None where nothing says so.

    Raises UsageError for a lifetime that is none, or is over already.
    """
    stamps = (_EXPIRES.match(server.username) for server in servers if server.relays)
    told = [*_told(found, where), *(float(stamp[1]) - unix_now for stamp in stamps if stamp)]
    if not told:
        return None
    if min(told) <= 0:
        raise UsageError(
            f"{where} holds credentials that expired {abs(min(told)):.0f} s ago",
            "let the endpoint make them anew, and look at its clock",
        )
    return min(told)


def _told(found: object, where: str) -> Iterable[float]:
    for _ in range(len(WRAPPINGS)):
        if not isinstance(found, Mapping):
            return
        for name in LIFETIMES:
            if name in found:
                yield _seconds(found[name], name, where)
        found = next((found[name] for name in WRAPPINGS if name in found), None)


def _seconds(value: object, name: str, where: str) -> float:
    try:
        seconds = math.nan if isinstance(value, bool) else float(str(value).removesuffix("s"))
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise UsageError(f"{where} has a {name} that is no number of seconds", f'write "{name}": 3600')
    return seconds
