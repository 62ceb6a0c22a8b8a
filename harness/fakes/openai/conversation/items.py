"""The items of the conversation: their order, what they hold, and what they cost."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.fakes.openai.conversation.usage import (
    Tokens,
    assistant_audio_tokens,
    caller_audio_tokens,
    text_tokens,
)

ROOT = "root"


@dataclass
class Item:
    """One item: `resource` as the client sees it, and how much audio it stands for."""

    resource: dict[str, Any]
    audio_ms: int = 0

    @property
    def id(self) -> str:
        return str(self.resource["id"])

    @property
    def in_progress(self) -> bool:
        return self.resource.get("status") == "in_progress"

    @property
    def by_assistant(self) -> bool:
        return self.resource.get("role") == "assistant"

    def snapshot(self) -> dict[str, Any]:
        """The resource as it is now: later changes do not reach an event that was sent."""
        return copy.deepcopy(self.resource)

    def tokens(self) -> Tokens:
        """What the item costs as input."""
        texts = [part.get("text") or part.get("transcript") or "" for part in self._assistant_or_text_parts()]
        texts += [self.resource.get(name, "") for name in ("name", "arguments", "output")]
        count = assistant_audio_tokens if self.by_assistant else caller_audio_tokens
        return Tokens(sum(map(text_tokens, texts)), count(self.audio_ms))

    def _assistant_or_text_parts(self) -> list[dict[str, Any]]:
        """A caller's audio is billed as audio; its transcript is another model's work."""
        return [part for part in self.resource.get("content", ()) if part.get("type") != "input_audio"]

    def truncate(self, audio_ms: int) -> None:
        """Keep the audio that was heard; its transcript goes, for it says more than was heard."""
        self.audio_ms = min(self.audio_ms, audio_ms)
        for part in self.resource.get("content", ()):
            part.pop("transcript", None)


class Items:
    """The default conversation, in order."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: object) -> Item | None:
        """The item of that id, if there is one."""
        return next((item for item in self._items if item.id == item_id), None)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Put the item after another, at the end, or first (`root`); returns the id before it.

        `after` must be an id that `get` knows, or `root`, or None.
        """
        index = len(self._items)
        if after == ROOT:
            index = 0
        elif after is not None:
            index = 1 + next(i for i, other in enumerate(self._items) if other.id == after)
        self._items.insert(index, item)
        return self.before(item)

    @property
    def first(self) -> Item | None:
        return self._items[0] if self._items else None

    def before(self, item: Item) -> str | None:
        """The id of the item before; None for the first one."""
        index = self._items.index(item)
        return self._items[index - 1].id if index else None

    def remove(self, item: Item) -> None:
        self._items.remove(item)

    @property
    def last(self) -> Item | None:
        return self._items[-1] if self._items else None

    def knows_call(self, call_id: str) -> bool:
        """Whether a function call of that id was made."""
        calls = [item.resource for item in self._items if item.resource["type"] == "function_call"]
        return any(call.get("call_id") == call_id for call in calls)


def context_tokens(items: Iterable[Item], instructions: str, tools: list[Mapping[str, Any]]) -> Tokens:
    """What a response takes in: the instructions, the tools, and all items again."""
    tokens = Tokens(text_tokens(instructions) + (text_tokens(json.dumps(tools)) if tools else 0))
    for item in items:
        tokens += item.tokens()
    return tokens
