"""Who may call: secret keys, and the ephemeral ones that they are exchanged for."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import HTTPConnection

from harness.core.clock import Clock
from harness.fakes.openai.errors import expired_key, invalid_key, missing_key
from harness.fakes.openai.ids import Ids

# What a program sends whose key is not there, or was not read: no key, whatever else is accepted.
PLACEHOLDER = re.compile(
    r"undefined|null|none|nil|nan|false|true|\[object \w+\]|"
    r"your[-_ ]?(?:openai[-_ ]?)?api[-_ ]?key(?:[-_ ]here)?|openai_api_key|"
    r"sk-\.{3}|changeme|<.*>|\$\{?\w*\}?|[\"'].*|.*[\"']",
    re.IGNORECASE,
)
MOST_EPHEMERAL_KEYS = 10_000


@dataclass(frozen=True)
class EphemeralKey:
    """An `ek_` key: usable until `expires` on the fake's clock; calls made with it start from `session`."""

    value: str
    expires: float
    session: dict[str, Any]


class Keys:
    """The keys that the fake knows.

    With none configured it accepts any but a placeholder: a key's looks say nothing of a relay, and how
    OpenAI's own look has changed before.
    """

    def __init__(self, accepted: Sequence[str], clock: Clock, ids: Ids) -> None:
        self._accepted = tuple(accepted)
        self._clock = clock
        self._ids = ids
        self._ephemeral: dict[str, EphemeralKey] = {}

    def issue(self, seconds: float, session: dict[str, Any]) -> EphemeralKey:
        """A new ephemeral key."""
        key = EphemeralKey(self._ids.new("ek"), self._clock.now() + seconds, session)
        self.learn(key)
        return key

    def learn(self, key: EphemeralKey) -> None:
        """A key that another worker of the same fake has issued: all read one monotonic clock."""
        if len(self._ephemeral) >= MOST_EPHEMERAL_KEYS:
            now = self._clock.now()
            self._ephemeral = {k: e for k, e in self._ephemeral.items() if e.expires > now}
        self._ephemeral[key.value] = key

    def check(self, connection: HTTPConnection, *, secret_only: bool = False) -> EphemeralKey | None:
        """The ephemeral key of the request, None for a secret key. Raises ApiError (401)."""
        key = bearer(connection)
        if not key:
            raise missing_key()
        if not secret_only and (ephemeral := self._ephemeral.get(key)) is not None:
            if ephemeral.expires <= self._clock.now():
                raise expired_key()
            return ephemeral
        if not self._is_secret(key):
            raise invalid_key(key, secret=not is_placeholder(key))
        return None

    def _is_secret(self, key: str) -> bool:
        if not self._accepted:
            return not is_placeholder(key) and not key.startswith("ek_")
        return any(hmac.compare_digest(key.encode(), accepted.encode()) for accepted in self._accepted)

    def clear(self) -> None:
        """Forget the ephemeral keys."""
        self._ephemeral.clear()


def is_placeholder(key: str) -> bool:
    """Whether this is what stands where a key should be, such as `undefined`: no secret, and no key."""
    return PLACEHOLDER.fullmatch(key) is not None


AZURE_PREFIX = "/openai"


def is_azure(connection: HTTPConnection) -> bool:
    """Whether the request came as to Azure, where a model is a deployment of any name."""
    return str(connection.scope.get("path", "")).startswith(f"{AZURE_PREFIX}/")


BROWSER_KEY = "openai-insecure-api-key."  # the subprotocol by which a page hands a WebSocket its key


def bearer(connection: HTTPConnection) -> str:
    """The key of a request: its Bearer token, or a browser's WebSocket subprotocol; `""` for none.

    Below Azure's prefix it can also be an `api-key`.
    """
    if is_azure(connection) and "api-key" in connection.headers:
        return connection.headers["api-key"].strip()
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    protocols = connection.headers.get("sec-websocket-protocol", "").split(",")
    found = (p.strip().removeprefix(BROWSER_KEY) for p in protocols if p.strip().startswith(BROWSER_KEY))
    return next(found, "")


def digest(secret: str | bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).hexdigest()
