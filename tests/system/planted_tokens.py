"""Faults of a token relay, and of what a page sends it: each finding with the fault that leads to it."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from harness.call import Caller
from harness.config.hooks import TokenMint

ORIGIN = "https://app.example"
CALLER_TOKEN = "a-caller's-own-token"


async def calls_with_a_key(caller: Caller) -> None:
    """As scenarios/token_minting.py does."""
    await caller.probe.mint_without_credentials()
    await caller.probe.mint_from_elsewhere()
    await caller.connect()
    await caller.probe.mint_again()
    await caller.hang_up()


async def brings_a_session(caller: Caller) -> None:
    await caller.probe.offer_with_session()
    await caller.hang_up()


# Finding → the relay's faults; with what is configured for the call, and what the caller does.
PLANTED: dict[str, tuple[str, ...]] = {
    "token.minted: mint-failed": ("hangs",),
    "token.minted: mint-refused": ("relay-error",),
    "token.minted: no-key": ("token-missing",),
    "token.minted: not-a-key": ("token-undefined",),
    "token.ephemeral: project-key": ("project-key-returned",),
    "token.page-holds-no-key: page-sends-key": (),
    "token.for-who-may: minted-for-anyone": ("relay-open",),
    "token.for-who-may: minted-for-foreign-pages": ("token-for-any-page",),
    "token.expiry: expired": ("token-expired",),
    "token.expiry: long-lived": ("token-long-lived",),
    "token.not-shared: shared": ("token-shared",),
    "token.not-shared: cacheable": ("token-cacheable",),
    "token.session-fixed: session-missing": ("token-session-missing",),
    "token.session-not-chosen: session-chosen": ("token-session-chosen",),
    "token.usable: refused": ("token-unknown",),
    "token.usable: for-transcription": ("token-for-transcription",),
}
CONFIGURED: dict[str, dict[str, Any]] = {
    "token.page-holds-no-key: page-sends-key": {
        "headers": (("X-OpenAI-Key", SecretStr("sk-that-the-page-should-not-have")),)
    },
}
PLANS = {"token.session-not-chosen: session-chosen": brings_a_session}


def minting(url: str, **more: Any) -> dict[str, Any]:
    """A target's fields, for a token relay."""
    return {"url": url, "dialect": "sdp", "token": TokenMint(url), "origin": ORIGIN, **more}
