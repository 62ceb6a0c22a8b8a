"""OpenAI's refusals by their own codes and words: which of the relay's settings each is about."""

from __future__ import annotations

import re
from typing import Any

from harness.requirements.exchanges import error_of

# Cause of signaling.offer-accepted → how OpenAI's error says it, by its code or in its message.
SAYINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "upstream-region",
        re.compile(r"unsupported_country_region_territory|country, region, or territory not supported", re.I),
    ),
    ("upstream-address", re.compile(r"ip_not_authorized|your IP (?:address )?is not authorized", re.I)),
    (
        "upstream-permission",
        re.compile(
            r"insufficient permissions for this operation|mismatched_(?:organization|project)|"
            r"must be a member of an organization",
            re.I,
        ),
    ),
    (
        "upstream-unauthorized",
        re.compile(r"invalid_api_key|incorrect api key|didn't provide an api key", re.I),
    ),
    (
        "upstream-rate-limited",
        re.compile(
            r"insufficient_quota|exceeded your current quota|rate_limit_exceeded|rate limit reached for|"
            r"billing_not_active|billing_hard_limit",
            re.I,
        ),
    ),
    (
        "upstream-voice",
        re.compile(r"audio\.output\.voice|Supported values are: [^\n]*'?alloy\b", re.I),
    ),
    (
        "upstream-offer-rejected",
        re.compile(r"failed to parse offer|failed to unmarshal sdp|invalid sdp offer|parameter: 'sdp'", re.I),
    ),
    (
        "upstream-session",
        re.compile(
            r"\(session[\w.\[\]]*\)|'session(?:\.[\w.\[\]]+)?'|\"param\"\s*:\s*\"session|unknown_parameter|"
            r"missing_required_parameter|(?:string|array)_above_max_length",
            re.I,
        ),
    ),
)
# Codes that relays give to their upstream's failures in words of their own.
RELAYS_OWN = (
    ("upstream-unauthorized", re.compile(r"upstream_unauthorized", re.I)),
    ("upstream-rate-limited", re.compile(r"upstream_rate_limited", re.I)),
    ("upstream-offer-rejected", re.compile(r"upstream_offer_rejected", re.I)),
    ("upstream-error", re.compile(r"upstream_(?:failed|timeout|unreachable|answer_invalid)", re.I)),
)
# What no relay says that has not spoken with an upstream, or tried to.
SAYS_UPSTREAM_FAILED = re.compile(
    r"upstream_\w+|api\.openai\.com|beta_api_shape_disabled|unsupported_country_region_territory|"
    r"incorrect api key provided|didn't provide an api key|model_not_found|insufficient_quota|"
    r"exceeded your current quota|failed to unmarshal sdp|invalid sdp offer|"
    r"ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|getaddrinfo|fetch failed|connection refused|"
    r"all connection attempts failed|name or service not known|max retries exceeded|cannot connect to host|"
    r"APIConnectionError|connection error\.",
    re.IGNORECASE,
)


def cause_of(status: int | None, text: str) -> str:
    """The cause that a refusal of the upstream's own means: by its words, else by its status."""
    said = by_words(text)
    if said is not None:
        return said[0]
    if status in (401, 403):
        return "upstream-unauthorized"
    if status == 429:
        return "upstream-rate-limited"
    if status is not None and 400 <= status < 500:
        return "upstream-offer-rejected"
    return "upstream-error"


def by_words(text: str, *, relays_own: bool = False) -> tuple[str, str] | None:
    """The cause and the words that say it; None where nothing is recognized."""
    for cause, pattern in (*SAYINGS, *(RELAYS_OWN if relays_own else ())):
        if found := pattern.search(text):
            return cause, found.group()
    return None


def words_of(body: str) -> str:
    """Code and message of OpenAI's error, as evidence; what it names of the session first."""
    error: dict[str, Any] = error_of(body) or {}
    code, param, message = (str(error.get(name) or "") for name in ("code", "param", "message"))
    told = " ".join(word for word in (code, f"({param})" if param else "") if word)
    return f"{told}: {message}" if told and message else told or message
