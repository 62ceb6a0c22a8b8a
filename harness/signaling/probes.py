"""Requests that a good relay answers in a certain way and a careless one does not.

Each is recorded with its purpose and case (`harness.core.probes`); what came of it is judged later.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

import numpy as np

from harness.config.target import Bound, Target
from harness.core.dialects import JSON
from harness.core.probes import (
    BAD_OFFER,
    CHOICE,
    INJECTION,
    MINT_INJECTION,
    OPEN_ICE,
    PREFLIGHT,
    UNAUTHENTICATED,
)
from harness.core.traceparent import HEADER as TRACEPARENT
from harness.signaling.dialects import Body, wrap
from harness.signaling.exchange import post_offer, request_with
from harness.signaling.sending import HttpReply, Sender
from harness.signaling.sessions import opened
from harness.signaling.tokens import mint, offer_with_key

MEGABYTE = 1 << 20
MODELS_TO_ASK_FOR = ("gpt-realtime-2.1-mini", "gpt-realtime-2.1")
NOT_THE_PAGES = ("Origin", TRACEPARENT)  # set by the browser, and by us: nobody's page asks leave for them
DEEP = 100_000  # levels: any recursive parser gives up before


async def send_preflight(
    sender: Sender, target: Target, *, origin: str = "", purpose: str = PREFLIGHT
) -> HttpReply | None:
    """What a browser on a page of `target.origin`, or of another, asks before it may post (Fetch, 4.8)."""
    token = target.token
    url, dialect = (token.url if token else target.url), target.wrapping
    named = [
        *(token.headers if token else dialect.headers),
        *(name for name, _ in target.request_headers() if name not in NOT_THE_PAGES),
    ]
    posts = token is None or token.method != "GET"
    headers = [*(["content-type"] if posts else []), *(name.lower() for name in named)]
    request = sender.client.build_request(
        "OPTIONS",
        url,
        headers={
            "Origin": origin or target.origin,
            "Access-Control-Request-Method": token.method if token else dialect.method,
            # Browsers send the names sorted, and cookies go by themselves.
            "Access-Control-Request-Headers": ",".join(sorted(set(headers) - {"cookie"})),
        },
    )
    return await sender.send(request, purpose=purpose)


async def send_bad_offers(sender: Sender, target: Target, offer: str, *, seed: int) -> None:
    """Every case of `core.probes.BAD_OFFERS`, one after the other, made from a good offer."""
    for case, body in bad_offers(target, offer, seed=seed):
        reply = await sender.send(request_with(sender, target, body), purpose=BAD_OFFER, case=case)
        if reply is not None and reply.succeeded and target.wrapping.sessions:
            opened(sender, target, target.url, reply, purpose=BAD_OFFER)  # so that it can be hung up


async def offer_without_credentials(sender: Sender, target: Target, offer: str) -> str | None:
    """A good offer from nobody in particular; the answer, where the relay lets anyone in."""
    return await post_offer(sender, target, offer, purpose=UNAUTHENTICATED, credentials=False)


async def ask_for_ice_servers(sender: Sender, target: Target) -> None:
    """The ICE servers that the target's own endpoint gives to nobody in particular."""
    url = urljoin(target.url, target.ice_servers_from)
    headers = [("Accept", JSON), *target.request_headers(credentials=False)]
    await sender.send(sender.client.build_request("GET", url, headers=headers), purpose=OPEN_ICE)


async def offer_with_session(sender: Sender, target: Target, offer: str, *, marker: str) -> str | None:
    """A good offer with a session of the caller's own, `marker` in every value, which must not go upstream.

    It goes in fields beside the offer where the dialect has them, and in the query always. What a caller may
    choose by design is left out, or is one of the choices.
    """
    session = {"type": "realtime", "model": marker, "instructions": marker}
    marked: dict[str, object] = {"session": session, "model": marker, "instructions": marker}
    chosen = {name: _within(bound) for name, bound in target.caller_chooses}
    smuggled = {name: value for name, value in (marked | chosen).items() if value is not None}
    return await post_offer(
        sender,
        target,
        offer,
        purpose=INJECTION,
        case=marker,
        fields=smuggled if target.wrapping.has_fields else None,
        query={name: value for name, value in smuggled.items() if isinstance(value, str)},
    )


async def offer_beyond_bounds(sender: Sender, target: Target, offer: str, *, marker: str) -> str | None:
    """A good offer with all that a caller may choose, each beyond its bound: none may go upstream so."""
    beyond = {name: _beyond(bound, marker) for name, bound in target.caller_chooses if bound is not True}
    return await post_offer(
        sender,
        target,
        offer,
        purpose=CHOICE,
        case=marker,
        fields=beyond if target.wrapping.has_fields else None,
        query=beyond,
    )


def _within(bound: Bound) -> str | None:
    """One of the choices; else nothing, so that the name is left out."""
    return bound[0] if isinstance(bound, tuple) else None


def _beyond(bound: Bound, marker: str) -> str:
    """None of the choices, or a text that is too long: what is cut to its bound has no marker any more."""
    return marker if isinstance(bound, tuple) else "x" * bound + marker


async def offer_with_session_in_key(sender: Sender, target: Target, offer: str, *, marker: str) -> str | None:
    """A key that was asked for with a session of the page's own, and a good offer with that key."""
    ordinary = await mint(sender, target)
    usual = (ordinary.told.session or {}).get("model") if ordinary else None
    # By itself, since a model that upstream, or a gateway, does not have is refused with all the rest.
    model = next(model for model in MODELS_TO_ASK_FOR if model != usual)
    other = {"session": {"type": "realtime", "model": model}, "model": model}
    await mint(sender, target, purpose=MINT_INJECTION, case=marker, more=other)
    named = {"model": usual} if usual else {}
    session = {"type": "realtime", **named, "instructions": marker}
    smuggled = {"session": session, "instructions": marker}
    minted = await mint(sender, target, purpose=MINT_INJECTION, case=marker, more=smuggled)
    if minted is None or not minted.value:
        return None
    return await offer_with_key(sender, target, offer, minted, purpose=MINT_INJECTION, case=marker)


def bad_offers(target: Target, offer: str, *, seed: int) -> Iterator[tuple[str, Body]]:
    """Case and body of each offer that no relay may accept, in the order of `core.probes.BAD_OFFERS`."""
    dialect, fields = target.wrapping, target.extra_fields()
    good = wrap(dialect, offer, fields)
    yield "empty", Body(b"", good.content_type)
    yield "not-sdp", wrap(dialect, "This is no session description.\r\n", fields)
    yield "json-without-sdp", Body(b'{"type": "offer"}', JSON)
    yield "no-audio", wrap(dialect, without_section(offer, "audio"), fields)
    yield "no-data-channel", wrap(dialect, without_section(offer, "application"), fields)
    yield "one-megabyte", wrap(dialect, offer + "a=x-padding:1234567890\r\n" * (MEGABYTE // 24 + 1), fields)
    yield "wrong-media-type", Body(good.content, "image/png")
    yield "deep-json", Body(b'{"sdp": ' + b"[" * DEEP + b"]" * DEEP + b"}", JSON)
    yield "binary", Body(np.random.default_rng(seed).bytes(2048), good.content_type)


def without_section(sdp: str, kind: str) -> str:
    """The description without its sections of a kind, and without their mids in the BUNDLE group."""
    blocks: list[list[str]] = [[]]
    for line in sdp.splitlines(keepends=True):
        if line.startswith("m="):
            blocks.append([])
        blocks[-1].append(line)
    session, *sections = blocks
    kept = [lines for lines in sections if not lines[0].startswith(f"m={kind} ")]
    mids = [line[6:].strip() for lines in kept for line in lines if line.startswith("a=mid:")]
    group = f"a=group:BUNDLE {' '.join(mids)}\r\n"
    session = [group if line.startswith("a=group:BUNDLE") else line for line in session]
    return "".join(line for lines in [session, *kept] for line in lines)
