"""What is asked of the target's own backend around a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.core.events import UsageUnit

HOOK_SECONDS = 10.0
SETTLE_SECONDS = 30.0


@dataclass(frozen=True)
class BeforeCall:
    """A request made before each call, such as creating a chat, whose JSON answer fills the offer's fields.

    `fields` and `secret_fields`: field of the offer request → where the answer has it, as a dotted path
    (`data.chat.id`, `items.0.id`). `headers` and `secret_headers`: header of the offer request → likewise, or
    a text with such paths in braces (`Bearer {data.token}`). What is secret is kept out of all that is
    written. `body` is sent as JSON. `timeout`: seconds.
    """

    url: str
    method: str = "POST"
    body: Mapping[str, object] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    secret_fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = HOOK_SECONDS


@dataclass(frozen=True)
class UsageEndpoint:
    """Says what the target has counted so far, to compare with what the responses of a run say they used.

    `number` is where the JSON answer has it, as a dotted path; empty where the answer is the number itself.
    `timeout`: seconds for one answer. `settle`: seconds in which the count may still rise after the
    last call.
    """

    url: str
    number: str = ""
    unit: UsageUnit = "usd"
    timeout: float = HOOK_SECONDS
    settle: float = SETTLE_SECONDS


@dataclass(frozen=True)
class TokenMint:
    """A request with which a page has its back end mint an ephemeral key, to call upstream itself with it.

    `body` is sent as JSON, none with GET. The target's own headers and cookies go with it, and `headers`.
    `value` is where the JSON answer has the key, as a dotted path; empty: wherever one is. `offers_to` is
    where the offer goes then; empty: the upstream's `/v1/realtime/calls`.
    """

    url: str
    method: str = "POST"
    body: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    value: str = ""
    offers_to: str = ""
