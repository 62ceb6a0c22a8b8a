"""Ranges that the API documents in words and its types do not carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.fakes.openai.conversation.refusals import RefusedError, invalid_value, unsupported_value

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
MOST_OUTPUT_TOKENS = 4096
LONGEST_DESCRIPTION = 1024
LONGEST_METADATA_KEY, LONGEST_METADATA_VALUE, MOST_METADATA = 64, 512, 16

# Path below `session` → least, most.
_NUMBERS: dict[str, tuple[float, float]] = {
    "audio.input.turn_detection.threshold": (0, 1),
    "audio.input.turn_detection.prefix_padding_ms": (0, 60_000),
    "audio.input.turn_detection.silence_duration_ms": (0, 60_000),
    "audio.input.turn_detection.idle_timeout_ms": (5000, 30_000),
    "audio.output.speed": (0.25, 1.5),
    "max_output_tokens": (1, MOST_OUTPUT_TOKENS),
    "truncation.retention_ratio": (0, 1),
}


def check_session(session: Mapping[str, Any]) -> None:
    """Of a session whose types are right. Raises RefusedError."""
    for path, (least, most) in _NUMBERS.items():
        check_number(f"session.{path}", _at(session, path), least, most)
    check_modalities("session", session.get("output_modalities"))
    check_voice("session", _at(session, "audio.output.voice"))
    check_tools("session", session.get("tools"))


def check_response(params: Mapping[str, Any]) -> None:
    """Of the `response` of a response.create. Raises RefusedError."""
    check_number("response.max_output_tokens", params.get("max_output_tokens"), 1, MOST_OUTPUT_TOKENS)
    check_modalities("response", params.get("output_modalities"))
    check_voice("response", _at(params, "audio.output.voice"))
    check_tools("response", params.get("tools"))
    if params.get("conversation") not in (None, "auto", "none"):
        raise invalid_value("response.conversation", "Supported values are: 'auto' and 'none'.")
    _check_metadata(params.get("metadata") or {})


def check_number(path: str, value: object, least: float, most: float) -> None:
    """A number between bounds; what is not given, or a word, is not judged here."""
    if isinstance(value, int | float) and not least <= value <= most:
        raise invalid_value(path, f"Expected a value between {least} and {most}.")


def check_modalities(prefix: str, modalities: object) -> None:
    """`["audio"]` or `["text"]`, never both."""
    if modalities is not None and modalities not in (["audio"], ["text"]):
        raise invalid_value(
            f"{prefix}.output_modalities", "Supported combinations are: ['audio'] and ['text']."
        )


def check_voice(prefix: str, voice: object) -> None:
    """One of the named voices; a custom voice has an id of its own."""
    if isinstance(voice, str) and voice not in VOICES:
        raise unsupported_value(f"{prefix}.audio.output.voice", voice, VOICES)


def check_tools(prefix: str, tools: object) -> None:
    """Every function has a name, and no other the same."""
    names: list[object] = []
    for index, tool in enumerate(tools if isinstance(tools, list) else []):
        if tool.get("type") == "mcp":
            continue
        path = f"{prefix}.tools[{index}].name"
        if not tool.get("name"):
            raise RefusedError(
                "missing_required_parameter", f"Missing required parameter: '{path}'.", param=path
            )
        if tool["name"] in names:
            raise invalid_value(path, "There is another tool of that name.")
        names.append(tool["name"])
        check_length(f"{prefix}.tools[{index}].description", tool.get("description"), LONGEST_DESCRIPTION)


def check_length(path: str, text: object, longest: int) -> None:
    """A text of no more than so many characters."""
    if isinstance(text, str) and len(text) > longest:
        raise RefusedError(
            "string_above_max_length",
            f"Invalid '{path}': string too long. Expected a string with maximum length {longest}, but got a "
            f"string with length {len(text)} instead.",
            param=path,
        )


def _check_metadata(metadata: Mapping[str, str]) -> None:
    if len(metadata) > MOST_METADATA:
        raise invalid_value("response.metadata", f"Expected at most {MOST_METADATA} pairs.")
    for key, value in metadata.items():
        if len(key) > LONGEST_METADATA_KEY or len(value) > LONGEST_METADATA_VALUE:
            raise invalid_value(
                "response.metadata", "Expected keys up to 64 and values up to 512 characters."
            )


def _at(data: Mapping[str, Any], path: str) -> Any:
    found: Any = data
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
