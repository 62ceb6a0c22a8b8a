"""The page's side of a token relay: have a key minted, then send the offer upstream with it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from harness.config.hooks import TokenMint
from harness.config.target import Target
from harness.core.clock import unix_time
from harness.core.dialects import SDP, TEXT
from harness.core.events import AnswerReceived, TokenKind, TokenMinted
from harness.core.json_paths import at, texts
from harness.core.probes import MINT, OFFER
from harness.core.redaction import KEY_PATTERN
from harness.signaling.dialects import unwrap, wrap
from harness.signaling.sending import HttpReply, Sender

OPENAI_CALLS = "https://api.openai.com/v1/realtime/calls"
CALLS_PATH = "/v1/realtime/calls"

# What stands where a key should be, in programs that have none.
_NO_KEY = re.compile(
    r"undefined|null|none|nan|false|true|\[object \w+\]|your[-_ ].*key.*|<.*>", re.IGNORECASE
)
_SENDABLE = re.compile(r"[\x21-\x7e]{8,4096}")
_PROJECT_KEY = re.compile(r"sk-[A-Za-z0-9_-]{16,}")
# Where keys are, in the order of trust: OpenAI's, the beta's, and what the field calls them.
_PLACES = ("value", "client_secret.value", "client_secret", "ephemeralKey", "ephemeral_key", "token", "key")
_EXPIRY = ("expires_at", "expiresAt", "expires")


@dataclass(frozen=True)
class MintedKey:
    """A key, `""` where there was none, with what the record says of it."""

    value: str
    told: TokenMinted


async def mint(
    sender: Sender,
    target: Target,
    *,
    purpose: str = MINT,
    case: str = "",
    credentials: bool = True,
    origin: str = "",
    more: Mapping[str, object] | None = None,
) -> MintedKey | None:
    """Ask the target's back end for a key; None where no whole response came.

    `more` goes into the body, and into the query where there is no body. `origin`: another page's.
    """
    token = the_mint(target)
    request = _request(sender, target, token, credentials=credentials, origin=origin, more=more or {})
    read: list[tuple[str, str, str]] = []

    def key_in(reply: HttpReply) -> str:
        read.append(read_key(reply, token.value))
        return read[0][0]

    reply = await sender.send(request, purpose=purpose, case=case, secret_in=key_in)
    if reply is None:
        return None
    value, place, problem = read[0]
    told = TokenMinted(
        at=sender.clock.now(),
        purpose=purpose,
        key=kind_of(value) if value else "none",
        problem=problem,
        place=place,
        digest=hashlib.sha256(value.encode()).hexdigest()[:16] if value else "",
        lifetime_s=_lifetime(reply, place),
        session=_session(reply, sender),
        page_sent_key=_project_key_in(request),
    )
    sender.record(told)
    return MintedKey(value, told)


async def offer_with_token(
    sender: Sender,
    target: Target,
    offer: str,
    *,
    purpose: str = OFFER,
    case: str = "",
) -> str | None:
    """Mint a key and send the offer upstream with it; the answer, or None where there is none to be had."""
    minted = await mint(sender, target)
    if minted is None or not minted.value:
        return None
    return await offer_with_key(sender, target, offer, minted, purpose=purpose, case=case)


async def offer_with_key(
    sender: Sender, target: Target, offer: str, minted: MintedKey, *, purpose: str, case: str = ""
) -> str | None:
    """Send the offer upstream with a key, as the page does."""
    dialect = target.wrapping
    body = wrap(dialect, offer)
    url = httpx.URL(the_mint(target).offers_to or OPENAI_CALLS)
    request = sender.client.build_request(
        dialect.method,
        url.copy_merge_params(dialect.query) if dialect.query else url,
        content=body.content,
        headers=[
            ("Content-Type", body.content_type),
            ("Accept", f"{SDP}, {TEXT}, */*"),
            *dialect.headers.items(),
            *([("Origin", target.origin)] if target.origin else []),
            ("Authorization", f"Bearer {minted.value}"),
        ],
    )
    reply = await sender.send(request, purpose=purpose, case=case)
    if reply is None or not dialect.takes(reply.status):
        return None
    answer = unwrap(dialect, reply.content.decode("utf-8", "replace"))
    if purpose == OFFER:
        sender.record(AnswerReceived(at=sender.clock.now(), sdp=sender.redactor.text(answer)))
    return answer


def the_mint(target: Target) -> TokenMint:
    """How the target's keys are minted; by default where it is."""
    return target.token or TokenMint(target.url)


def read_key(reply: HttpReply, place: str) -> tuple[str, str, str]:
    """The key, its place, and why there is none: one of the first and the last is empty."""
    if not 200 <= reply.status < 300:
        return "", "", f"status {reply.status}"
    try:
        data = json.loads(reply.content)
    except (ValueError, RecursionError):
        return "", "", "the answer is not JSON"
    if place:
        try:
            return _checked(at(data, place), place)
        except LookupError:
            names = ", ".join(map(str, data)) if isinstance(data, dict) else type(data).__name__
            return "", place, f"the answer has nothing at {place!r} (it has {names[:120] or 'nothing'})"
    found = key_place(data)
    return _checked(at(data, found), found) if found else ("", "", "the answer has no key anywhere")


def key_place(data: object) -> str:
    """Where a JSON value has an ephemeral key, or what is called like one; empty where nowhere."""
    found = dict(texts(data))
    sure = next((path for path, text in found.items() if text.startswith("ek_")), "")
    return sure or next((path for path in _PLACES if path in found), "")


def kind_of(value: str) -> TokenKind:
    """What a key is, by its looks."""
    if value.startswith("ek_"):
        return "ephemeral"
    return "project" if _PROJECT_KEY.match(value) else "other"


def _checked(value: object, place: str) -> tuple[str, str, str]:
    if not isinstance(value, str):
        return "", place, f"what is at {place!r} is no text but {type(value).__name__}"
    if _NO_KEY.fullmatch(value) or not _SENDABLE.fullmatch(value):
        return "", place, f"what is at {place!r} is no key ({value[:20]!r})"
    return value, place, ""


def _request(
    sender: Sender,
    target: Target,
    token: TokenMint,
    *,
    credentials: bool,
    origin: str,
    more: Mapping[str, object],
) -> httpx.Request:
    named = [
        (n, v) for n, v in target.request_headers(credentials=credentials) if not (origin and n == "Origin")
    ]
    headers = [("Accept", "application/json"), *token.headers.items(), *named]
    if origin:
        headers.append(("Origin", origin))
    url, content = httpx.URL(token.url), None
    if token.method == "GET":
        flat = {name: value for name, value in more.items() if isinstance(value, str)}
        url = url.copy_merge_params(flat) if flat else url
    else:
        headers.append(("Content-Type", "application/json"))
        content = json.dumps({**token.body, **target.extra_fields(), **more}).encode()
    return sender.client.build_request(token.method, url, content=content, headers=headers)


def _json(reply: HttpReply) -> object:
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        return None


def _lifetime(reply: HttpReply, place: str) -> float | None:
    """By the expiry beside the key, or at the top; in seconds or milliseconds since 1970."""
    data = _json(reply)
    around = place.rpartition(".")[0]
    for path in [f"{around}.{name}" if around else name for name in _EXPIRY] + list(_EXPIRY):
        try:
            found = at(data, path)
        except LookupError:
            continue
        if isinstance(found, int | float) and not isinstance(found, bool) and found > 0:
            return float(found / 1000 if found > 1e11 else found) - unix_time()
    return None


def _session(reply: HttpReply, sender: Sender) -> dict[str, object] | None:
    data = _json(reply)
    session = data.get("session") if isinstance(data, dict) else None
    return sender.redactor.value(session) if isinstance(session, dict) else None


def _project_key_in(request: httpx.Request) -> str:
    places = [(f"its header {name}", value) for name, value in request.headers.items()]
    places += [("its URL", str(request.url)), ("its body", request.content.decode("utf-8", "replace"))]
    for where, text in places:
        if any(found.group().startswith("sk-") for found in KEY_PATTERN.finditer(text)):
            return where
    return ""
