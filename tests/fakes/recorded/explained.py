"""Where the fake sends what was not recorded: each with the evidence that there is, or the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

TYPES = "the types of openai 3.52"
ITEM = r"(?:conversation\.item|response\.output_item)\.(?:added|done)"
MESSAGE = rf"{ITEM}/message/assistant(?:/output_(?:audio|text))?"


@dataclass(frozen=True)
class Explained:
    """`what` the fake sends, for readers; `pattern` of whole lines of `differences`; `why`: the evidence."""

    what: str
    pattern: str
    why: str


EXPLAINED = (
    # Kinds of event.
    Explained("`error`", r"error: no such.*", f"{TYPES}; its codes and words: see above"),
    Explained(
        "`output_audio_buffer.started`, `.stopped`, `.cleared`",
        r"output_audio_buffer\.(started|stopped|cleared): no such.*",
        f"{TYPES}, and the API reference; the recordings are of WebSockets, where they do not come",
    ),
    Explained(
        "`conversation.item.truncated`, `.deleted`, `.retrieved`",
        r"conversation\.item\.(truncated|deleted|retrieved)(/.*)?: no such.*",
        TYPES,
    ),
    Explained("`input_audio_buffer.cleared`", r"input_audio_buffer\.cleared: no such.*", TYPES),
    Explained(
        "`input_audio_buffer.timeout_triggered`",
        r"input_audio_buffer\.timeout_triggered: no such.*",
        f"{TYPES}; its place before `committed` is the API reference's",
    ),
    Explained(
        "`conversation.item.input_audio_transcription.segment` and `.failed`",
        r"conversation\.item\.input_audio_transcription\.(segment|failed): no such.*",
        TYPES,
    ),
    Explained(
        "items that a client makes: of the system, a function call, other content",
        r"conversation\.item\.(added|done)/(message/(system|user|assistant)(/.*)?|function_call): no such.*",
        "as the recorded items of other kinds",
    ),
    Explained(
        "sessions of type `transcription`",
        r"session\.(created|updated)/transcription: no such.*",
        f"{TYPES}; reports of 2026",
    ),
    # Fields of recorded kinds.
    Explained(
        "`phase` of an assistant's message",
        rf"({MESSAGE}: item|response\.done: response\.output\[\])\.phase was not recorded",
        "recordings of gpt-realtime-2.1 (July and August 2026), of which no copy is kept here",
    ),
    Explained(
        "`reasoning_tokens` in `usage`",
        r"response\.done: response\.usage\.output_token_details\.reasoning_tokens was not recorded",
        "recordings of gpt-realtime-2.1, as above; that they are part of the text is a guess",
    ),
    Explained(
        "items and responses that were cut off: their `status`, `status_details`, an empty `output`",
        rf"({ITEM}/\S+: item\.status is \"incomplete\", .*"
        r"|response\.done: response\.(output\[\]\.)?status is \"(cancelled|incomplete|failed)\", .*"
        r"|response\.done: response\.status_details(\.\S+ was not recorded| is object, .*)"
        r"|response\.done: response\.output\[\] is empty, .*"
        r"|conversation\.item\.done/message/assistant: no such.*"
        r"|response\.output_item\.done/message/assistant: no such.*)",
        f"{TYPES}; every recorded response was completed",
    ),
    Explained(
        "`previous_item_id` of a finished function call that is not the conversation's second item",
        r"conversation\.item\.done/function_call: previous_item_id is string, recorded is null",
        "the one that was recorded came second, where messages have null as well",
    ),
    Explained(
        "`previous_item_id` null of an answer or a call that is the conversation's first item",
        r"conversation\.item\.(added|done)/\S+: previous_item_id is null, recorded is string",
        "as the caller's first item has it",
    ),
    Explained(
        "tokens of a transcription by other models than gpt-realtime-whisper",
        r"conversation\.item\.input_audio_transcription\.completed: usage\..*",
        TYPES,
    ),
    Explained(
        "responses out of band, with `metadata`, or with a limit of tokens",
        r"response\.(created|done): response\.(conversation_id is null|metadata is object"
        r"|max_output_tokens is int), .*",
        TYPES,
    ),
    Explained(
        "what a client changed in its session: no or another turn detection, transcription, formats, limits",
        r"session\.(created|updated): session\.(audio\.(input|output)\.\S+|max_output_tokens|tracing\S*"
        r"|truncation\S*|tool_choice\S*|tools\S*|prompt\S*|include\S*) (is (?!missing).*|was not recorded)"
        r"|session\.updated: session\.audio\.input\.turn_detection\.\S+ is missing"
        r"|(session|response)\.\w+: (session|response)\.audio\.(input|output)\.format\.rate is missing"
        r"|response\.(created|done): response\.audio\.output\.\S+ is .*",
        f"{TYPES}; every recorded session asked for little",
    ),
)


def explanation(difference: str) -> Explained | None:
    """Why the fake may differ so; None for a difference that is new."""
    return next((e for e in EXPLAINED if re.fullmatch(e.pattern, difference)), None)
