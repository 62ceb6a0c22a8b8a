"""Who gets a key, what key it is, and how long it lasts."""

from __future__ import annotations

import re

from harness.core import probes
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import limit_of
from harness.requirements.exchanges import excerpt, header
from harness.requirements.in_front import said_in_front
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.token.asking import MINTED, OPENAI_KEYS, key_seen, mint_exchange, told_of

_KEPT = re.compile(r"public|(?:max-age|s-maxage)\s*=\s*\"?0*[1-9]", re.IGNORECASE)
_NOT_KEPT = re.compile(r"no-store|private", re.IGNORECASE)


@requirement(
    "token.minted",
    "The back end mints a key for a page that asks",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.OFFER,
    source=OPENAI_KEYS,
    when=(MINTED,),
    causes={
        "mint-failed": Cause(
            "the request for a key had no whole response",
            "check that the back end runs, and `url` in [targets.NAME.token]; give its request to OpenAI "
            "a time-out",
            in_time=True,
        ),
        "mint-refused": Cause(
            "the back end refused to mint a key",
            "look at its log and its OPENAI_API_KEY; compare `method`, `body` and the credentials in "
            "[targets.NAME.token] with what the page sends",
        ),
        "no-key": Cause(
            "the back end's answer has no key where it should be",
            "say where the key is with `value` in [targets.NAME.token], such as value = "
            '"client_secret.value"; '
            "OpenAI's /v1/realtime/client_secrets has it at `value`",
        ),
        "not-a-key": Cause(
            "what stands where the key should be is none",
            "await the upstream's answer and pass on its `value`; look for a field that is called "
            "otherwise there "
            "(`client_secret.value` was the beta's), and let the back end answer 502 where it got none",
        ),
    },
)
def minted(timeline: Timeline) -> Finding:
    """The request is answered with 2xx, and the answer has a key."""
    exchange, told = mint_exchange(timeline), told_of(timeline)
    if exchange is None or exchange.ended_at is None:
        return Inconclusive("the record ends before the back end answered")
    if exchange.failed is not None:
        return Violation(
            "mint-failed", f"{exchange.failed.failure}: {exchange.failed.detail}", exchange.evidence()
        )
    if not exchange.succeeded:
        body = f": {excerpt(exchange.body)}" if exchange.body.strip() else ""
        front = said_in_front(exchange.response) if exchange.response else ""
        return Violation("mint-refused", f"status {exchange.status}{body}{front}", exchange.evidence())
    if told is None or told.key == "none":
        problem = told.problem if told else "nothing was read"
        cause = "not-a-key" if "what is at" in problem else "no-key"
        return Violation(cause, problem, exchange.evidence())
    return None


@requirement(
    "token.ephemeral",
    "What a page gets is an ephemeral key, and never the project's",
    level=Level.MUST,
    because=Because.SECRET,
    severity=Severity.BLOCKER,
    stage=CallStage.OFFER,
    source=Source(
        "OpenAI, best practices for API key safety",
        "Never deploy your key in client-side environments like browsers or mobile apps.",
        "https://help.openai.com/en/articles/5112595-best-practices-for-api-key-safety",
    ),
    needs=("token.minted",),
    when=(MINTED,),
    causes={
        "project-key": Cause(
            "the page got the project's own key",
            "revoke the key now; mint a key for each caller with POST /v1/realtime/client_secrets, and "
            "answer its "
            "`value`",
        )
    },
)
def ephemeral(timeline: Timeline) -> Finding:
    """The key does not look like a project's (`sk-…`)."""
    told = told_of(timeline)
    if told is not None and told.key == "project":
        return Violation("project-key", f"at {told.place}: sk-[redacted]", key_seen(told))
    return None


@requirement(
    "token.page-holds-no-key",
    "The page's own request carries no project key",
    level=Level.MUST,
    because=Because.SECRET,
    severity=Severity.BLOCKER,
    stage=CallStage.OFFER,
    source=OPENAI_KEYS,
    when=(MINTED,),
    causes={
        "page-sends-key": Cause(
            "the page sends a project's key to have another minted",
            "revoke the key: whoever opens the page has it. Keep it in the back end's environment, and "
            "let the page "
            "show who it is with its session",
        )
    },
)
def page_holds_no_key(timeline: Timeline) -> Finding:
    """No header, URL or body of the request for a key has `sk-…` in it."""
    told = told_of(timeline)
    if told is not None and told.page_sent_key:
        return Violation("page-sends-key", f"in {told.page_sent_key}", key_seen(told))
    return None


@requirement(
    "token.for-who-may",
    "A key is minted only for who may call",
    level=Level.MUST,
    because=Because.MONEY,
    hits="whoever knows the address",
    severity=Severity.BLOCKER,
    stage=CallStage.OFFER,
    source=Source(
        "RFC 9110, section 15.5.2; Fetch Standard, CORS protocol",
        "401 says that the request lacks valid credentials; a response is shared with the origins that it "
        "names. "
        "Each call that is made with a key is billed to who minted it.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
    ),
    when=(
        Condition(
            "credentials or an origin are configured, so somebody asked without or from elsewhere",
            lambda t: (
                None
                if mint_exchange(t, probes.MINT_UNAUTHENTICATED) or mint_exchange(t, probes.MINT_FOREIGN)
                else NotApplicable("nobody asked for a key who may not have one")
            ),
        ),
    ),
    causes={
        "minted-for-anyone": Cause(
            "somebody without credentials got a key",
            "check the session cookie or token before minting, and answer 401 without it",
        ),
        "minted-for-foreign-pages": Cause(
            "a page of any origin can have a key minted, and read it",
            "answer Access-Control-Allow-Origin only to your own pages' origins, from a list, on the "
            "response "
            "itself too, and refuse other origins with 403",
        ),
    },
)
def for_who_may(timeline: Timeline) -> Finding:
    """No key without the target's credentials, nor one that a page of another origin may read."""
    anyone, foreign = told_of(timeline, probes.MINT_UNAUTHENTICATED), told_of(timeline, probes.MINT_FOREIGN)
    if anyone is not None and anyone.key != "none":
        exchange = mint_exchange(timeline, probes.MINT_UNAUTHENTICATED)
        return Violation("minted-for-anyone", "without credentials", exchange.evidence() if exchange else ())
    exchange = mint_exchange(timeline, probes.MINT_FOREIGN)
    if (
        foreign is not None
        and foreign.key != "none"
        and exchange is not None
        and exchange.response is not None
    ):
        allowed = header(exchange.response.headers, "access-control-allow-origin")
        if allowed in ("*", probes.FOREIGN_ORIGIN):
            seen = f"Access-Control-Allow-Origin: {allowed}"
            return Violation("minted-for-foreign-pages", seen, exchange.evidence())
    return None


@requirement(
    "token.expiry",
    "A key lasts long enough to call, and not much longer",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.OFFER,
    source=Source(
        "OpenAI, API reference, create client secret",
        "expires_after: from 10 s to 2 hours, by default 10 minutes. A call goes on when its key has "
        "expired.",
        "https://platform.openai.com/docs/api-reference/realtime-sessions/create-realtime-client-secret",
    ),
    needs=("token.minted", "token.ephemeral"),
    when=(MINTED,),
    causes={
        "expired": Cause(
            "the key has expired when it is handed out",
            "mint a key for each request, and do not keep one; set the server's clock (NTP)",
        ),
        "long-lived": Cause(
            "the key can begin calls long after it was handed out",
            'set expires_after: {"anchor": "created_at", "seconds": 60} where keys are minted: a page '
            "calls at once, "
            "and whoever finds the key later calls on your bill",
            level=Level.SHOULD,
            because=Because.MONEY,
        ),
    },
)
def expiry(timeline: Timeline) -> Finding:
    """By the answer's own expiry, against the limit `token_lifetime_s`."""
    told = told_of(timeline)
    if told is None or told.lifetime_s is None:
        return NotApplicable("the answer does not say when the key expires")
    if told.lifetime_s <= 0:
        return Violation("expired", f"{-told.lifetime_s:.0f} s ago", key_seen(told))
    if told.lifetime_s > limit_of(timeline, "token_lifetime_s") + 1:
        return Violation("long-lived", f"it lasts {told.lifetime_s:.0f} s", key_seen(told))
    return None


@requirement(
    "token.not-shared",
    "Each caller gets a key of their own",
    level=Level.MUST,
    because=Because.MONEY,
    severity=Severity.CRITICAL,
    stage=CallStage.OFFER,
    source=Source(
        "RFC 9111, section 5.2.2.5",
        "no-store: a cache must not store any part of the response.",
        "https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5",
    ),
    needs=("token.minted", "token.ephemeral"),
    when=(MINTED,),
    causes={
        "shared": Cause(
            "two callers got the same key",
            "mint a key for each request: take the handler out of any cache (`export const dynamic = "
            "'force-dynamic'`, cache: 'no-store' in the request to OpenAI), and keep none in a variable",
        ),
        "cacheable": Cause(
            "the answer with the key lets a cache keep it",
            "set Cache-Control: no-store on the answer: a CDN would hand one caller's key to the next",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
    },
)
def not_shared(timeline: Timeline) -> Finding:
    """Two requests bring two keys, and Cache-Control invites no cache."""
    told, again = told_of(timeline), told_of(timeline, probes.MINT_AGAIN)
    exchange = mint_exchange(timeline)
    if told is not None and again is not None and told.digest and told.digest == again.digest:
        return Violation(
            "shared", "asked twice, the back end gave one key", (*key_seen(told), *key_seen(again))
        )
    if exchange is not None and exchange.response is not None:
        kept = header(exchange.response.headers, "cache-control") or ""
        if _KEPT.search(kept) and not _NOT_KEPT.search(kept):
            return Violation("cacheable", f"Cache-Control: {kept}", exchange.evidence()[-1:])
    return None
