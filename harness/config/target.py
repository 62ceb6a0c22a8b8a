"""The relay under test: where it is, how it is spoken to, and with whose credentials."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pydantic import SecretStr

from harness.core.errors import UsageError
from harness.core.redaction import SECRET_HEADERS

DEFAULT_DIALECT = "json"


@dataclass(frozen=True)
class IceServer:
    """A STUN or TURN server, as browsers take it."""

    urls: tuple[str, ...]
    username: str = ""
    credential: SecretStr = field(default=SecretStr(""))


@dataclass(frozen=True)
class Target:
    """Where the offer is posted. Secrets are SecretStr: neither repr nor an error shows them.

    `fields` are extra JSON fields (or form fields) beside the SDP. `origin` is the page's origin, sent as a
    browser would.
    """

    url: str
    dialect: str = DEFAULT_DIALECT
    headers: tuple[tuple[str, SecretStr], ...] = ()
    bearer: SecretStr | None = None
    cookies: tuple[tuple[str, SecretStr], ...] = ()
    fields: dict[str, object] = field(default_factory=dict)
    origin: str = ""
    ice_servers: tuple[IceServer, ...] = ()
    relay_only: bool = False

    def __post_init__(self) -> None:
        check_url(self.url, "the target")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def on_loopback(self) -> bool:
        """Whether the relay is on this machine."""
        return is_loopback(self.host)

    def secrets(self) -> list[str]:
        """Every secret value: for redaction, and for nothing else."""
        found = [value for name, value in self.headers if name.lower() in SECRET_HEADERS]
        found += [value for _, value in self.cookies]
        found += [server.credential for server in self.ice_servers]
        if self.bearer is not None:
            found.append(self.bearer)
        return [secret.get_secret_value() for secret in found if secret.get_secret_value()]


def check_url(url: str, what: str) -> None:
    """Raises UsageError unless it is an http or https URL with a host and a valid port."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # a property that refuses what is no port
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"{what} {url!r} is not a URL that an offer can be posted to",
            "give scheme, host and path, such as https://staging.example.com/api/voice/webrtc/session",
        )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
