"""The relay under test: where it is, how it is spoken to, and with whose credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from harness.config.hooks import BeforeCall, TokenMint, UsageEndpoint
from harness.config.ice import IceServer, check_authority, check_policy, check_servers_from
from harness.core.dialects import DEFAULT_DIALECT, DIALECTS, OWN, Dialect, check_dialect
from harness.core.errors import UsageError
from harness.core.loopback import is_loopback
from harness.core.redaction import SECRET_HEADERS, SHORTEST_SECRET, Redactor
from harness.core.traceparent import HEADER as TRACEPARENT

# Written by the dialect, by HTTP itself, or from a setting of its own.
OUR_HEADERS = frozenset(
    {
        "content-type",
        "content-length",
        "transfer-encoding",
        "connection",
        "host",
        "accept",
        "origin",
        "cookie",
    }
)

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")  # printable ASCII, no blank at either end
_COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")  # RFC 6265, section 4.1.1
# What a parameter is called whose value lets somebody in.
_SECRET_PARAMETER = re.compile(
    r"key|token|secret|password|passwd|signature|^sig$|^auth|credential", re.IGNORECASE
)
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+|null")

# An offer is posted over HTTP; a page without WebRTC opens a WebSocket.
TARGET_SCHEMES = ("http", "https", "ws", "wss")

Text = str | SecretStr
# What a caller may choose: anything, a text of so many characters, or one of these.
Bound = bool | int | tuple[str, ...]
Auth = Literal["required", "open"]


@dataclass(frozen=True)
class Target:
    """Where the offer is sent. Secrets are SecretStr: neither repr nor an error shows them.

    `headers` and `fields` (extra JSON or form fields beside the SDP) may hold secrets among ordinary values.
    `origin` is the page's origin, sent as a browser would. `ice_servers_from` answers with ICE servers;
    `ice_ca` is an authority (PEM) that theirs may be signed by. `silent`: it is not meant to be heard.
    `passes_events`: OpenAI's events reach the page; a gateway may keep them to itself. `auth` says whether
    the relay wants credentials; None: it does where some are configured. `subprotocols`: what a page offers
    with a WebSocket. `query_secrets` are the values in the URL's query that are secret whatever their names.
    `token`: a key is minted before each offer, which then goes upstream. `caller_chooses`: what of the
    session callers choose by design, and within which bound. `name` is the one in harness.toml, and
    `own_dialect` what stands for the dialect `own`. Raises UsageError for what cannot be sent.
    """

    url: str = field(repr=False)  # its query may hold a secret
    dialect: str = DEFAULT_DIALECT
    own_dialect: Dialect | None = None
    headers: tuple[tuple[str, Text], ...] = ()
    bearer: SecretStr | None = None
    cookies: tuple[tuple[str, SecretStr], ...] = ()
    fields: dict[str, object] = field(default_factory=dict)
    origin: str = ""
    ice_servers: tuple[IceServer, ...] = ()
    relay_only: bool = False
    ice_servers_from: str = ""
    ice_ca: Path | None = None
    auth: Auth | None = None
    silent: bool = False
    passes_events: bool = True
    before_call: BeforeCall | None = None
    usage: UsageEndpoint | None = None
    token: TokenMint | None = None
    caller_chooses: tuple[tuple[str, Bound], ...] = ()
    subprotocols: tuple[Text, ...] = ()
    query_secrets: tuple[SecretStr, ...] = field(default=(), repr=False)
    name: str = ""
    traceparent: str = ""  # of one call, where the run is traced

    def __post_init__(self) -> None:
        check_url(self.url, "the target", TARGET_SCHEMES)
        if self.dialect != OWN or self.own_dialect is None:
            check_dialect(self.dialect)
        for name, value in self.headers:
            check_header(name, value)
        for name, cookie in self.cookies:
            if not _TOKEN.fullmatch(name) or not _COOKIE_VALUE.fullmatch(cookie.get_secret_value()):
                raise UsageError(f"the cookie {name!r} cannot be sent", "its value must be URL-encoded")
        if self.bearer is not None and not _VALUE.fullmatch(self.bearer.get_secret_value()):
            raise UsageError(
                "the bearer token cannot be sent in a header", "look for blanks, line ends, quotes"
            )
        self._check_lengths()
        if any(not _TOKEN.fullmatch(_reveal(name)) for name in self.subprotocols):
            raise UsageError(
                "a subprotocol cannot be sent", "it is a token (RFC 6455, section 4.1): no blanks, no commas"
            )
        check_origin(self.origin)
        self._check_fields()
        check_servers_from(self.ice_servers_from)
        if self.ice_ca is not None:
            check_authority(self.ice_ca)
        check_policy(self.ice_servers, self.ice_servers_from, relay_only=self.relay_only)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def wrapping(self) -> Dialect:
        """How it wraps offer and answer: the dialect itself, whose name is `dialect`."""
        if self.dialect == OWN and self.own_dialect is not None:
            return self.own_dialect
        return DIALECTS[self.dialect]

    @property
    def shown_url(self) -> str:
        """The URL for people: without the secrets in its query."""
        return self.redactor().text(self.url)

    @property
    def on_loopback(self) -> bool:
        """Whether the relay is on this machine."""
        return is_loopback(self.host)

    @property
    def has_credentials(self) -> bool:
        """Whether anything is sent that only this caller knows."""
        return self.bearer is not None or bool(self.cookies) or any(map(_is_secret, self.headers))

    @property
    def wants_credentials(self) -> bool:
        """Whether an offer without credentials must be refused."""
        return self.has_credentials if self.auth is None else self.auth == "required"

    def request_headers(self, *, credentials: bool = True) -> list[tuple[str, str]]:
        """What every request carries, secrets revealed: for the wire alone."""
        headers = [(name, _reveal(v)) for name, v in self.headers if credentials or not _is_secret((name, v))]
        if self.origin:
            headers.append(("Origin", self.origin))
        if self.bearer is not None and credentials:
            headers.append(("Authorization", f"Bearer {self.bearer.get_secret_value()}"))
        if self.cookies and credentials:
            pairs = "; ".join(f"{name}={value.get_secret_value()}" for name, value in self.cookies)
            headers.append(("Cookie", pairs))
        if self.traceparent:
            headers.append((TRACEPARENT, self.traceparent))
        return headers

    def revealed_subprotocols(self) -> list[str]:
        """What is offered with a WebSocket, secrets revealed: for the wire alone."""
        return [_reveal(name) for name in self.subprotocols]

    def public_subprotocols(self) -> list[str]:
        """Those of them that are no secret."""
        return [name for name in self.subprotocols if isinstance(name, str)]

    @property
    def is_websocket(self) -> bool:
        """Whether callers open a WebSocket to it, rather than post an offer."""
        return urlsplit(self.url).scheme in ("ws", "wss")

    @property
    def spoken(self) -> str:
        """In what the target is asked for a call: a dialect's name, or `websocket`."""
        return "websocket" if self.is_websocket else self.dialect

    def extra_fields(self) -> dict[str, object]:
        """The extra fields, secrets revealed: for the wire alone."""
        return {name: _reveal(v) if isinstance(v, SecretStr) else v for name, v in self.fields.items()}

    def redactor(self, *others: str) -> Redactor:
        """Knows every secret of the target, and `others`."""
        return Redactor([*self.secrets(), *others], headers=[h[0] for h in self.headers if _is_secret(h)])

    def secrets(self) -> list[str]:
        """Every secret value: for redaction, and for nothing else."""
        found: list[object] = [header[1] for header in self.headers if _is_secret(header)]
        found += [value for _, value in self.cookies]
        found += [value for value in self.fields.values() if isinstance(value, SecretStr)]
        found += [server.credential for server in self.ice_servers]
        for url in (self.url, self.ice_servers_from):
            found += [value for name, value in parse_qsl(urlsplit(url).query) if is_secret_parameter(name)]
        found += self.query_secrets
        found += [name for name in self.subprotocols if isinstance(name, SecretStr)]
        found.append(self.bearer)
        return [_reveal(v) for v in found if isinstance(v, str | SecretStr) and _reveal(v)]

    def _check_lengths(self) -> None:
        """What lets somebody in must be long enough to be kept out of reports."""
        named: list[tuple[str, object]] = [("the bearer token", self.bearer)]
        for kind, values in (("header", self.headers), ("field", tuple(self.fields.items()))):
            named += [
                (f"the {kind} {name!r}", value)
                for name, value in values
                if isinstance(value, SecretStr)
                and (name.lower() in SECRET_HEADERS or is_secret_parameter(name))
            ]
        for what, value in named:
            if isinstance(value, SecretStr) and 0 < len(value.get_secret_value()) < SHORTEST_SECRET:
                raise UsageError(
                    f"{what} has under {SHORTEST_SECRET} characters",
                    "so short a secret cannot be kept out of reports; take a longer one",
                )

    def _check_fields(self) -> None:
        if self.fields and not self.wrapping.has_fields:
            raise UsageError(
                f"the dialect {self.dialect} has no room for extra fields", "choose json or multipart"
            )
        taken = self.wrapping.taken_fields & self.fields.keys() if self.fields else None
        if taken:
            raise UsageError(f"the extra field {min(taken)!r} is the dialect's own", "give it another name")
        try:
            json.dumps(self.extra_fields(), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UsageError(f"the extra fields are not JSON: {error}", "use text, numbers, lists") from None


def check_url(url: str, what: str, schemes: Sequence[str] = ("http", "https")) -> None:
    """Raises UsageError unless it is a URL of such a scheme, with a host, a valid port and no password."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        usable = usable and all("\x21" <= c <= "\x7e" for c in url)
    except ValueError:
        usable = False
    if not usable:
        shown = "…@" + url.rpartition("@")[2] if "@" in url else url
        raise UsageError(
            f"{what} {shown!r} is not a URL that an offer can be posted to",
            "give scheme, host and path, such as https://staging.example.com/api/voice/webrtc/session",
        )
    if "@" in parts.netloc:
        raise UsageError(
            f"{what} at {parts.hostname} has a user name or password in its URL",
            "take it out; credentials come from the environment: HARNESS_BEARER",
        )


def check_origin(origin: str) -> None:
    """Raises UsageError for what no browser sends as Origin; an empty one is none."""
    if origin and not _ORIGIN.fullmatch(origin):
        raise UsageError(f"{origin!r} is no origin", "give https://HOST, without a path")


def is_secret_parameter(name: str) -> bool:
    """Whether a parameter or field is called as those are whose value lets somebody in."""
    return _SECRET_PARAMETER.search(name) is not None


def check_header(name: str, value: Text) -> None:
    """Raises UsageError for a header that is not for the target to set, or cannot be sent."""
    if name.lower() in OUR_HEADERS:
        raise UsageError(f"the header {name} cannot be set", "it follows from the dialect and other settings")
    if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(_reveal(value)):
        raise UsageError(
            f"the header {name!r} cannot be sent", "printable ASCII only (RFC 9110, section 5.5)"
        )


def _is_secret(header: tuple[str, Text]) -> bool:
    return isinstance(header[1], SecretStr) or header[0].lower() in SECRET_HEADERS


def _reveal(value: Text) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
