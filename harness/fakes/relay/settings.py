"""What a relay is run with, and the session it asks for: the GA shape (docs/fake.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from harness.config.target import check_origin
from harness.core.dialects import DEFAULT_DIALECT, DIALECTS, Dialect
from harness.core.errors import UsageError

SESSION_PATH = "/api/voice/webrtc/session"
ICE_PATH = "/api/voice/ice-servers"
WHIP_PATH = "/api/voice/whip"
TOKEN_PATH = "/api/voice/token"  # noqa: S105  (a path)
KEY_SECONDS = 60  # a page calls at once


def default_session() -> dict[str, Any]:
    """The session configuration that the relay forwards; never taken from the client."""
    return {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "output_modalities": ["audio"],
        "instructions": "You are a friendly assistant. Answer briefly, in the caller's language.",
        "audio": {
            "input": {
                "transcription": {"model": "gpt-transcribe"},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.5,
                    "prefix_padding_ms": 300,
                    "silence_duration_ms": 500,
                },
            },
            "output": {"voice": "marin"},
        },
    }


@dataclass(frozen=True)
class RelaySettings:
    """`upstream` is OpenAI's base URL, Azure's or the fake's; `api_key` is the secret that stays here.

    `dialect`: how offers come and answers go. `bearer_token`: what callers must present; None lets anyone in.
    `origins`: whose pages may call (CORS). `one_call_per_caller`: a caller's new call ends its older one.
    `call_seconds`: after how long a call is ended; None leaves that to the caller and OpenAI.
    `management_hosts`: see `Access`.
    """

    upstream: str
    api_key: str = field(repr=False)
    dialect: Dialect = DIALECTS[DEFAULT_DIALECT]
    bearer_token: str | None = field(default=None, repr=False)
    origins: tuple[str, ...] = ()
    one_call_per_caller: bool = False
    call_seconds: float | None = None
    session: dict[str, Any] = field(default_factory=default_session)
    faults: tuple[str, ...] = ()
    gateway: bool = False  # ends the caller's WebRTC itself
    seed: int = 0
    management_token: str | None = field(default=None, repr=False)
    management_hosts: tuple[str, ...] = ()
    locations: bool = False  # each answer has a Location, at which its call can be hung up
    upstream_connections: int = 0  # at most so many offers at once upstream; 0: as many as come
    offers_per_second: int = 0  # more are refused with 429; 0: no limit
    no_retry_after: bool = False  # and are not told when to come again
    block_ms: float = 0.0  # how long each offer holds up the event loop
    leak_kib: int = 0  # what each offer leaves in memory
    cold_seconds: float = 0.0  # what the first offer waits, as for a function that is started
    longest_body: int = 256 * 1024
    read_seconds: float = 5.0
    connect_seconds: float = 3.0
    upstream_seconds: float = 8.0
    ping_seconds: float = 2.0  # between pings to a caller on a WebSocket

    def __post_init__(self) -> None:
        if urlsplit(self.upstream).scheme not in ("http", "https") or not urlsplit(self.upstream).netloc:
            raise UsageError(
                f"{self.upstream!r} is not an upstream URL", "try https://api.openai.com/v1 or the fake's URL"
            )
        if "*" in self.origins:
            raise UsageError(
                "origin '*' would let every web page make calls at your expense",
                "name the page's own, such as http://localhost:3000; give --origin again for each other",
            )
        if self.call_seconds is not None and not 0 < self.call_seconds < math.inf:
            raise UsageError(f"a call cannot last {self.call_seconds:g} s", "give more than 0 seconds")
        for origin in self.origins:
            check_origin(origin)

    @property
    def read(self) -> tuple[Dialect, ...]:
        """What offers may come in: the dialect alone, or in the default one a raw body and a form, too."""
        is_default = self.dialect == DIALECTS[DEFAULT_DIALECT]
        return (self.dialect, DIALECTS["sdp"], DIALECTS["multipart"]) if is_default else (self.dialect,)

    @property
    def authorization(self) -> dict[str, str]:
        """The key as the upstream wants it: Azure, below `/openai`, has a header of its own for it."""
        if urlsplit(self.upstream).path.startswith("/openai/"):
            return {"api-key": self.api_key}
        return {"Authorization": f"Bearer {self.api_key}"}

    @property
    def calls_url(self) -> str:
        """Where offers go."""
        return f"{self._base}/realtime/calls"

    @property
    def keys_url(self) -> str:
        """Where ephemeral keys are minted."""
        return f"{self._base}/realtime/client_secrets"

    @property
    def _base(self) -> str:
        """A base URL without a path is OpenAI's host alone, so `/v1` is added."""
        base = self.upstream.rstrip("/")
        return f"{base}{'' if urlsplit(base).path else '/v1'}"

    @property
    def socket_url(self) -> str:
        """Where WebSockets go: the same, as `ws:` or `wss:`."""
        return "ws" + self.calls_url.removeprefix("http").removesuffix("/calls")
