"""What is asked of the target's own backend around a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HOOK_SECONDS = 10.0


@dataclass(frozen=True)
class BeforeCall:
    """A request made before each call, such as creating a chat, whose JSON answer fills the offer's fields.

    `fields` and `secret_fields`: field of the offer request → where the answer has it, as a dotted path
    (`data.chat.id`, `items.0.id`). What `secret_fields` takes is kept out of everything that is written.
    `body` is sent as JSON. `timeout`: seconds.
    """

    url: str
    method: str = "POST"
    body: Mapping[str, object] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    secret_fields: Mapping[str, str] = field(default_factory=dict)
    timeout: float = HOOK_SECONDS
