"""STUN and TURN servers, as browsers take them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pydantic import SecretStr

from harness.core.errors import UsageError

# RFC 7064 and RFC 7065: scheme, host (a name, an IPv4 address, an IPv6 address in brackets), port, transport.
_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?"
    r"(?P<transport>\?transport=(?:udp|tcp))?"
)


@dataclass(frozen=True)
class IceServer:
    """`urls` are of one server: `stun:host:port`, `turn:host:port?transport=udp|tcp`, `turns:…`.

    TURN wants `username` and `credential`. Raises UsageError for what no browser would take.
    """

    urls: tuple[str, ...]
    username: str = ""
    credential: SecretStr = field(default=SecretStr(""))

    def __post_init__(self) -> None:
        if not self.urls:
            raise UsageError("an ICE server has no URL", "give stun:HOST:PORT or turn:HOST:PORT")
        for url in self.urls:
            found = _URL.fullmatch(url)
            port = int(found["port"] or 3478) if found else 0
            if found is None or not 0 < port < 65536:
                raise UsageError(
                    f"{url!r} is no URL of an ICE server",
                    "write stun:HOST:PORT or turn:HOST:PORT?transport=udp, without slashes",
                )
            if found["scheme"].startswith("stun") and found["transport"]:
                raise UsageError(f"{url!r} has a transport, which only TURN takes", "leave out ?transport=")
            has_credentials = self.username and self.credential.get_secret_value()
            if found["scheme"].startswith("turn") and not has_credentials:
                raise UsageError(
                    f"{url!r} has no username or credential", "a TURN server lets nobody in without"
                )
