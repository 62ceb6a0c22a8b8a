"""Who may call: secret keys, and the ephemeral ones that they are exchanged for."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import HTTPConnection

from harness.core.clock import Clock
from harness.fakes.openai.conversation.ids import Ids
from harness.fakes.openai.errors import expired_key, invalid_key, missing_key

LOOKS_LIKE_A_KEY = re.compile(r"sk-[A-Za-z0-9_-]{8,}")
MOST_EPHEMERAL_KEYS = 10_000


@dataclass(frozen=True)
class EphemeralKey:
    """An `ek_` key: usable until `expires` on the fake's clock; calls made with it start from `session`."""

    value: str
    expires: float
    session: dict[str, Any]


class Keys:
    """The keys that the fake knows. With none configured it accepts whatever looks like a secret key."""

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
            raise invalid_key(key)
        return None

    def _is_secret(self, key: str) -> bool:
        if not self._accepted:
            return LOOKS_LIKE_A_KEY.fullmatch(key) is not None
        return any(hmac.compare_digest(key.encode(), accepted.encode()) for accepted in self._accepted)

    def expire_all(self) -> None:
        """Every ephemeral key is past its time from now on."""
        now = self._clock.now()
        self._ephemeral = {k: replace(e, expires=now) for k, e in self._ephemeral.items()}

    def clear(self) -> None:
        """Forget the ephemeral keys."""
        self._ephemeral.clear()


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
