"""STUN and TURN servers, as browsers take them."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from harness.core.errors import UsageError
from harness.core.strict_json import json_value

TRANSPORT_POLICIES = ("all", "relay")
# What a list of servers stands under: at Twilio, Metered and Cloudflare, and in answers of page back ends.
WRAPPINGS = ("iceServers", "ice_servers", "rtcConfiguration", "rtcConfig", "data", "result", "v", "d")

# RFC 7064 and RFC 7065: scheme, host (a name, an IPv4 address, an IPv6 address in brackets), port, transport.
_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
_NO_SECRET = SecretStr("")
LONGEST_SHOWN = 200  # characters


class IceUrl(NamedTuple):
    """The parts of one URL, defaults filled in. `secure`: TLS, and over TCP always."""

    url: str
    turn: bool
    secure: bool
    host: str  # without brackets
    port: int
    transport: Literal["udp", "tcp"]


def parse_ice_url(url: str) -> IceUrl:
    """Raises UsageError for what no browser would take."""
    found = _URL.fullmatch(url)
    if found is None or not 0 < int(found["port"] or 1) < 65536:
        raise UsageError(
            f"{_without_password(url)!r} is not the URL of an ICE server",
            "write stun:HOST:PORT or turn:HOST:PORT?transport=udp, without slashes",
        )
    turn, secure = found["scheme"].startswith("turn"), found["scheme"].endswith("s")
    if found["transport"] and not turn:
        raise UsageError(
            f"{_without_password(url)!r} has a transport, which only TURN takes", "leave out ?transport="
        )
    return IceUrl(
        url=url,
        turn=turn,
        secure=secure,
        host=found["host"].strip("[]"),
        port=int(found["port"] or (5349 if secure else 3478)),  # RFC 7064 and RFC 7065, section 3.2
        # Over DTLS no browser asks: Chromium takes turns: with ?transport=udp for TLS all the same.
        transport="tcp" if secure or found["transport"] == "tcp" else "udp",
    )


@dataclass(frozen=True)
class IceServer:
    """`urls` are of one server: `stun:host:port`, `turn:host:port?transport=udp|tcp`, `turns:…`.

    TURN wants `username` and `credential`. Raises UsageError for what no browser would take.
    """

    urls: tuple[str, ...]
    username: str = ""
    credential: SecretStr = field(default=_NO_SECRET)

    def __post_init__(self) -> None:
        if not self.urls:
            raise UsageError("an ICE server has no URL", "give stun:HOST:PORT or turn:HOST:PORT")
        for parsed in self.parsed():
            if parsed.turn and not (self.username and self.credential.get_secret_value()):
                raise UsageError(
                    f"{parsed.url!r} has no username or credential", "a TURN server lets nobody in without"
                )

    def parsed(self) -> tuple[IceUrl, ...]:
        """Each URL in its parts."""
        return tuple(map(parse_ice_url, self.urls))

    @property
    def relays(self) -> bool:
        """Whether any of the URLs is of TURN."""
        return any(parsed.turn for parsed in self.parsed())


@dataclass(frozen=True)
class IceConfiguration:
    """What the options and the environment say of ICE; what they leave out is as the target has it.

    `servers_from`: a URL, or a path on the target, that answers with servers. `ca_file`: an authority (PEM)
    that `turns:` servers may be signed by, besides the system's. Raises UsageError.
    """

    servers: tuple[IceServer, ...] = ()
    servers_from: str = ""
    policy: str = ""
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if self.policy and self.policy not in TRANSPORT_POLICIES:
            raise UsageError(
                f"there is no ICE transport policy {self.policy!r}",
                f"choose {' or '.join(TRANSPORT_POLICIES)}",
            )
        check_servers_from(self.servers_from)
        if self.ca_file is not None:
            check_authority(self.ca_file)


def check_authority(file: Path) -> None:
    """Raises UsageError for a file that holds no certificate."""
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(
            f"{str(file)!r} holds no authority to trust: {error.strerror or error}",
            "give a PEM file of certificates",
        ) from error


def check_policy(servers: Iterable[IceServer], servers_from: str, *, relay_only: bool) -> None:
    """Raises UsageError where only relayed candidates may be used and nothing could relay."""
    if relay_only and not servers_from and not any(server.relays for server in servers):
        raise UsageError(
            "the ICE transport policy relay needs a TURN server", "give one with --ice-server turn:HOST:PORT"
        )


def check_servers_from(address: str) -> None:
    """Raises UsageError for what cannot be fetched; an empty one is none."""
    parts = urlsplit(address)
    is_page = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    if address and not is_page and not (address.startswith("/") and not parts.netloc):
        raise UsageError(
            f"{_without_password(address)!r} is not a place to fetch ICE servers from",
            "give https://HOST/PATH, or /PATH on the target",
        )


def parse_ice_servers(text: str, where: str) -> tuple[IceServer, ...]:
    """JSON as browsers take it: a list of `{"urls": …, "username": …, "credential": …}`, or one of them.

    Also as TURN providers and page back ends give it: inside objects (`WRAPPINGS`), with `uris` and
    `password` (coturn's REST API), or `url`. Raises UsageError that names `where`, and never a credential.
    """
    try:
        found = json_value(text)
    except ValueError:
        raise UsageError(f"{where} is no JSON", _SHAPE) from None  # the cause quotes what may be a secret
    return read_ice_servers(found, where)


def read_ice_servers(found: object, where: str) -> tuple[IceServer, ...]:
    """The same of JSON, or TOML, that has been read."""
    for _ in WRAPPINGS:  # each at most once
        inside = next((n for n in WRAPPINGS if isinstance(found, Mapping) and n in found), None)
        if not isinstance(found, Mapping) or inside is None:
            break
        found = found[inside]
    if isinstance(found, Mapping):
        found = [found]
    if not isinstance(found, list):
        raise UsageError(f"{where} holds no list of ICE servers", _SHAPE)
    return tuple(_read_server(each, f"{where}, server {n}") for n, each in enumerate(found, start=1))


def ice_server(text: str, username: str = "", credential: SecretStr = _NO_SECRET) -> tuple[IceServer, ...]:
    """The value of --ice-server: a URL, or JSON. TURN without credentials of its own gets those given."""
    if text.lstrip().startswith(("{", "[")):
        return parse_ice_servers(text, "--ice-server")
    if not parse_ice_url(text).turn:
        return (IceServer((text,)),)
    return (IceServer((text,), username, credential),)


_SHAPE = 'write [{"urls": "turn:HOST:PORT", "username": "…", "credential": "…"}]'


def _read_server(found: object, where: str) -> IceServer:
    if not isinstance(found, Mapping):
        raise UsageError(f"{where} is no object", _SHAPE)
    # `url` is what it was called before 2015; `uris` and `password`: draft-uberti-behave-turn-rest-00.
    urls = next((found[name] for name in ("urls", "url", "uris") if found.get(name)), None)
    listed = [urls] if isinstance(urls, str) else urls
    if not isinstance(listed, list) or not listed or not all(isinstance(url, str) for url in listed):
        raise UsageError(f"{where} has no urls", _SHAPE)
    username = found.get("username") or ""
    credential = found.get("credential") or found.get("password") or ""
    if not isinstance(username, str) or not isinstance(credential, str):
        raise UsageError(f"{where} has a username or credential that is not text", _SHAPE)
    return IceServer(tuple(listed), username, SecretStr(credential))


def _without_password(url: str) -> str:
    """For a message: without what may be a secret, as in JSON that was meant and is none."""
    if "@" in url:
        return "…@" + url.rpartition("@")[2]
    is_like_a_url = len(url) <= LONGEST_SHOWN and not set(url) & set("{}\"'")
    return url if is_like_a_url else "what was given"
