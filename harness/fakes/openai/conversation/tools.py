"""When the fake calls a function, and with which arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.speaking.replies import FunctionCall

DEEPEST_SCHEMA = 8


def function_call(
    tools: Sequence[Mapping[str, Any]],
    choice: object,
    settings: ConversationSettings,
    *,
    answering_call: bool,
) -> FunctionCall | None:
    """The call to make in place of an answer; None to answer.

    `answering_call`: the last item is the output of a call, so that `auto` has what it wanted to know.
    """
    functions = [tool for tool in tools if tool.get("type", "function") == "function" and tool.get("name")]
    if isinstance(choice, Mapping):
        functions = [tool for tool in functions if tool["name"] == choice.get("name")]
        wanted = choice.get("type") == "function"
    else:
        wanted = choice == "required" or (choice == "auto" and settings.call_tools and not answering_call)
    if not wanted or not functions:
        return None
    tool = functions[0]
    made = json.dumps(example(tool.get("parameters")), ensure_ascii=False)
    return FunctionCall(tool["name"], settings.tool_arguments.get(tool["name"], made))


def example(schema: object, depth: int = 0) -> Any:
    """A small value that fits a JSON schema, as far as the schema is one; all properties are filled in."""
    if not isinstance(schema, Mapping) or depth > DEEPEST_SCHEMA:
        return {}
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    for choices in ("enum", "examples"):
        if isinstance(schema.get(choices), list) and schema[choices]:
            return schema[choices][0]
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = kind[0] if kind else "null"
    return _of_kind(kind, schema, depth)


def _of_kind(kind: object, schema: Mapping[str, Any], depth: int) -> Any:
    if kind == "object":
        properties = schema.get("properties")
        fields = properties.items() if isinstance(properties, Mapping) else ()
        return {name: example(part, depth + 1) for name, part in fields}
    if kind == "array":
        return [example(schema["items"], depth + 1)] if "items" in schema else []
    if kind in ("integer", "number"):
        least = schema.get("minimum", 1)
        return least if isinstance(least, int | float) else 1
    return {"string": "example", "boolean": True}.get(str(kind))
