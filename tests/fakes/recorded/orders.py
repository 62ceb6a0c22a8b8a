"""What preceded what in all recordings, as a partial order, and a watch that holds a conversation to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

EVENT = "conversation.item.input_audio_transcription"

# In each of the nine recorded responses and four spoken turns, every event on the left came before every one
# on the right where both were there; what follows from two others is left out. It holds for one item or one
# response; `(input)` is an item of the caller's, `(output)` one of a response.
PRECEDES = (
    ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"),
    ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"),
    ("input_audio_buffer.committed", "conversation.item.added (input)"),
    ("conversation.item.added (input)", "conversation.item.done (input)"),
    ("input_audio_buffer.speech_started", f"{EVENT}.delta"),
    (f"{EVENT}.delta", f"{EVENT}.completed"),
    ("conversation.item.done (input)", f"{EVENT}.completed"),
    ("response.created", "response.output_item.added"),
    ("response.output_item.added", "conversation.item.added (output)"),
    ("conversation.item.added (output)", "response.content_part.added"),
    ("conversation.item.added (output)", "response.function_call_arguments.delta"),
    ("response.content_part.added", "response.output_audio.delta"),
    ("response.content_part.added", "response.output_audio_transcript.delta"),
    ("response.content_part.added", "response.output_text.delta"),
    ("response.output_audio_transcript.delta", "response.output_audio.done"),
    ("response.output_audio.delta", "response.output_audio.done"),
    ("response.output_audio.done", "response.output_audio_transcript.done"),
    ("response.output_audio_transcript.done", "response.content_part.done"),
    ("response.output_text.delta", "response.output_text.done"),
    ("response.output_text.done", "response.content_part.done"),
    ("response.function_call_arguments.delta", "response.function_call_arguments.done"),
    ("response.function_call_arguments.done", "conversation.item.done (output)"),
    ("response.content_part.done", "conversation.item.done (output)"),
    ("conversation.item.done (output)", "response.output_item.done"),
    ("response.output_item.done", "response.done"),
    ("response.done", "rate_limits.updated"),
)
# Two more held in all recordings, and say how fast two independent things went: the caller's transcript was
# complete after the answer's first content_part.added, and before its output_audio.done.


class OrderWatch:
    """Takes the events of one conversation one by one."""

    def __init__(self) -> None:
        self._after = _closure()
        self._seen: dict[str, set[str]] = defaultdict(set)
        self._response_of: dict[str, str] = {}
        self._told_by = ""

    def violations(self, event: Mapping[str, Any]) -> Iterator[str]:
        """Each recorded precedence that this event breaks, in one line."""
        name = str(event["type"])
        if name == "rate_limits.updated":
            # It names no response: each recorded one came after a response.done of its own.
            if not self._told_by:
                yield f"{name} came before response.done"
            self._told_by = ""
        if name == "response.output_item.added" and self._seen[str(event["item"]["id"])]:
            yield f"{name} came after another event of its item"
        for scope, label in self._labels(name, event):
            for later in sorted(self._after[label] & self._seen[scope]):
                yield f"{label} came after {later}"
            self._seen[scope].add(label)

    def _labels(self, name: str, event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        item_id = str(event.get("item_id") or (event.get("item") or {}).get("id") or "")
        response_id = str(event.get("response_id") or (event.get("response") or {}).get("id") or "")
        if name == "response.output_item.added":
            self._response_of[item_id] = response_id
        response_id = response_id or self._response_of.get(item_id, "")
        if name == "response.done":
            self._told_by = response_id
        if name.startswith(("conversation.item.added", "conversation.item.done")):
            name += " (output)" if item_id in self._response_of else " (input)"
        if item_id:
            yield item_id, name
        if response_id and (name.startswith("response.") or "(output)" in name):
            # Items of one response stand between each other, so only its beginning and end bound them all.
            yield response_id, name if not item_id else "response.output_item.done"


def _closure() -> Mapping[str, frozenset[str]]:
    """Label → all that come after it."""
    after: dict[str, set[str]] = defaultdict(set)
    for first, second in PRECEDES:
        after[first].add(second)
    grown = True
    while grown:
        grown = False
        for found in list(after.values()):
            more = set().union(*(after.get(label, set()) for label in found)) - found
            grown = grown or bool(more)
            found |= more
    return defaultdict(frozenset, {label: frozenset(found) for label, found in after.items()})
