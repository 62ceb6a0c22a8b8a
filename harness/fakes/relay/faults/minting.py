"""Faults of a token relay: who gets a key, what key it is, and what may be done with it."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.responses import Response

from harness.core.clock import unix_time
from harness.fakes.relay.hooks import RelayFault, relay_fault

LONGEST_SECONDS = 7200  # that OpenAI allows


@relay_fault("token-missing", "answers the request for a key without one", stage="answer")
class TokenMissing(RelayFault):
    async def minted(self, key: dict[str, Any]) -> object:
        return {name: value for name, value in key.items() if name != "value"}


@relay_fault("token-undefined", "answers `undefined` where a key should be", stage="answer")
class TokenUndefined(RelayFault):
    async def minted(self, key: dict[str, Any]) -> object:
        return {**key, "value": "undefined"}


@relay_fault("project-key-returned", "gives the page the project's own key", stage="security")
class ProjectKeyReturned(RelayFault):
    async def minted(self, key: dict[str, Any]) -> object:
        return {**key, "value": self.settings.api_key}


@relay_fault("token-for-any-page", "lets a page of any origin read the key", stage="security")
class TokenForAnyPage(RelayFault):
    async def respond(self, response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response


@relay_fault("token-shared", "keeps a key, and gives it to every caller", stage="security")
class TokenShared(RelayFault):
    kept: dict[str, dict[str, Any]] = {}  # noqa: RUF012  (one relay's whole life long, by its key)

    async def minted(self, key: dict[str, Any]) -> object:
        return self.kept.setdefault(self.settings.api_key, key)


@relay_fault("token-cacheable", "lets a proxy keep the answer with the key", stage="security")
class TokenCacheable(RelayFault):
    async def respond(self, response: Response) -> Response:
        response.headers["Cache-Control"] = "public, max-age=300"
        return response


@relay_fault("token-long-lived", "asks for keys that may be used for two hours", stage="security")
class TokenLongLived(RelayFault):
    def mint(self, asked: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "expires_after": {"anchor": "created_at", "seconds": LONGEST_SECONDS}}


@relay_fault("token-expired", "hands out a key that it kept until it had expired", stage="answer")
class TokenExpired(RelayFault):
    async def minted(self, key: dict[str, Any]) -> object:
        return {**key, "value": _nobodys_key(), "expires_at": unix_time() - 60}


@relay_fault("token-unknown", "hands out a key that upstream does not know", stage="answer")
class TokenUnknown(RelayFault):
    async def minted(self, key: dict[str, Any]) -> object:
        return {**key, "value": _nobodys_key()}


@relay_fault("token-session-chosen", "mints keys for whatever session the page asks for", stage="security")
class TokenSessionChosen(RelayFault):
    def mint(self, asked: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        theirs = sent_along.get("session")
        named = {n: sent_along[n] for n in ("model", "instructions", "tools") if n in sent_along}
        return {
            **asked,
            "session": {**asked["session"], **(theirs if isinstance(theirs, dict) else {}), **named},
        }


@relay_fault(
    "token-session-missing", "mints keys without a session: the page must bring one", stage="session"
)
class TokenSessionMissing(RelayFault):
    def mint(self, asked: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        return {"session": {"type": "realtime", "model": asked["session"]["model"]}}


@relay_fault(
    "token-for-transcription", "mints keys for transcription, where a conversation is meant", stage="session"
)
class TokenForTranscription(RelayFault):
    def mint(self, asked: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        transcription = {"input": {"transcription": {"model": "gpt-transcribe"}}}
        return {**asked, "session": {"type": "transcription", "audio": transcription}}


def _nobodys_key() -> str:
    return f"ek_{secrets.token_hex(16)}"
