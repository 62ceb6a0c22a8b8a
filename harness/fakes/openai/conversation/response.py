"""One response: its resource, the items that it puts out, and what it costs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.fakes.openai.conversation.behaviour import Ending
from harness.fakes.openai.conversation.items import Item
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.output_items import OutputItem
from harness.fakes.openai.conversation.usage import Tokens, usage


@dataclass
class Response:
    """A response in progress.

    `context` and `cached`: what its input costs. `parameters`: what it was made with. `reasoning`: tokens
    spent on thinking; None where the model does not tell them.
    """

    line: Line
    id: str
    outputs: Sequence[OutputItem]
    parameters: dict[str, Any]
    conversation_id: str | None
    context: Tokens
    cached: Tokens
    reasoning: int | None = None
    ending: Ending | None = None
    status: str = "in_progress"
    status_details: dict[str, Any] | None = None

    @property
    def in_conversation(self) -> bool:
        return self.conversation_id is not None

    @property
    def generated_ms(self) -> int:
        """The audio that exists so far."""
        return sum(output.generated_ms for output in self.outputs)

    def create(self) -> None:
        self.line.send("response.created", response=self.resource())

    def making(self, item: Item) -> OutputItem | None:
        """The output that is this item and still being made."""
        return next((output for output in self.outputs if output.holds(item)), None)

    def finish(self, status: str, *, reason: str = "", error: dict[str, str] | None = None) -> None:
        """Close what is open, then the response: completed, cancelled, incomplete or failed."""
        for output in self.outputs:
            output.close("completed" if status == "completed" else "incomplete")
        self.status = status
        if status != "completed":
            given = {"reason": reason, "error": error}
            self.status_details = {"type": status, **{k: v for k, v in given.items() if v}}
        spent = usage(self.context, self.cached, self.spent(), self.reasoning)
        self.line.send("response.done", response={**self.resource(), "usage": spent})

    def resource(self) -> dict[str, Any]:
        """The `response` of response.created and response.done."""
        finished = self.status != "in_progress"
        resource = {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": copy.deepcopy(self.status_details),
            "usage": None,
            "output": [o.item.snapshot() for o in self.outputs if o.opened] if finished else [],
            "conversation_id": self.conversation_id,
        }
        return {**resource, **copy.deepcopy(self.parameters)}

    def spent(self) -> Tokens:
        """The output so far; thinking is text."""
        total = Tokens(self.reasoning or 0)
        for output in self.outputs:
            total += output.spent()
        return total
