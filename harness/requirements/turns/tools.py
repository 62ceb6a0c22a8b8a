"""A reply may be the call of a tool: whoever runs it must be able to, and must answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.core.fields import field, table, tables, text
from harness.core.session import session_in_force
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import last_moment
from harness.requirements.exchanges import excerpt
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement

TOOLS_GUIDE = "https://platform.openai.com/docs/guides/realtime-conversations#function-calling"
RUN_SECONDS = 8.0  # a tool that takes longer leaves the caller in silence
SPEAK_SECONDS = 3.0


@dataclass(frozen=True)
class ToolCall:
    """One call of a function that a completed response made, and when that was done."""

    at: float
    call_id: str
    name: str
    arguments: str


def tool_calls(timeline: Timeline) -> list[ToolCall]:
    """Those of completed responses: what was cancelled on the way is nobody's to run."""
    return [
        ToolCall(event.at, text(item, "call_id"), text(item, "name"), text(item, "arguments"))
        for event in timeline.server_events("response.done")
        if text(response := table(event.event, "response"), "status") == "completed"
        for item in tables(response, "output")
        if text(item, "type") == "function_call"
    ]


def _outputs(timeline: Timeline) -> dict[str, float]:
    """Call id → when its output was seen first: sent by the caller, or added by whoever runs the tools."""
    sent = timeline.client_events("conversation.item.create")
    added = timeline.server_events("conversation.item.added", "conversation.item.created")
    seen = [(e.at, table(e.event, "item")) for e in sent] + [(e.at, table(e.event, "item")) for e in added]
    found: dict[str, float] = {}
    for at, item in sorted(seen, key=lambda each: each[0]):
        if text(item, "type") == "function_call_output":
            found.setdefault(text(item, "call_id"), at)
    return found


CALLED = Condition(
    "a reply calls a tool",
    lambda t: None if tool_calls(t) else NotApplicable("no tool was called"),
)
RUN_HERE = Condition(
    "the tools are run in this call",
    lambda t: (
        None
        if _outputs(t)
        else NotApplicable("nobody runs the tools in this call: a page of yours may do so")
    ),
)


@requirement(
    "turns.tool-calls",
    "A tool is called by a name that the session has, with the arguments that it needs",
    stage=CallStage.REPLY,
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI Realtime guide, function calling",
        "A response may be a call of a function: its name is that of a tool, its arguments are JSON for the "
        "tool's parameters.",
        TOOLS_GUIDE,
    ),
    needs=("turns.response-completes",),
    when=(CALLED,),
    causes={
        "tool-unknown": Cause(
            "a tool was called that the session does not have",
            "name in the instructions no function that is not among the session's tools; where tools are "
            "changed by session.update, send the whole list each time",
        ),
        "arguments-broken": Cause(
            "the arguments of a call are no JSON object",
            "catch what JSON.parse throws, and answer the call with a function_call_output that says so; "
            "raise max_output_tokens where they are cut off",
        ),
        "arguments-missing": Cause(
            "the arguments of a call lack what the tool requires",
            "say in the tool's description what to do while a value is not known (ask the caller), and "
            "answer such a call with a function_call_output that names what is missing",
        ),
    },
)
def tools_called_rightly(timeline: Timeline) -> Finding:
    """Names are those of the session in force; arguments are a JSON object with all that is `required`."""
    for call in tool_calls(timeline):
        tools = {text(tool, "name"): tool for tool in _tools(timeline, call.at)}
        quote = (Evidence(call.at, f"{call.name}({excerpt(call.arguments, 100)})"),)
        if tools and call.name not in tools:
            seen = f"{call.name!r} was called; the session has {', '.join(sorted(filter(None, tools)))}"
            return Violation("tool-unknown", seen, quote)
        given = _parsed(call.arguments)
        if given is None:
            return Violation("arguments-broken", f"the arguments of {call.name} cannot be read", quote)
        required = field(tools.get(call.name, {}), "parameters", "required")
        lacking = [n for n in required if isinstance(n, str) and n not in given] if _listed(required) else []
        if lacking:
            return Violation("arguments-missing", f"{call.name} was not given {', '.join(lacking)}", quote)
    return None


@requirement(
    "turns.tools-answered",
    "The call of a tool is answered, and the caller hears what came of it",
    stage=CallStage.REPLY,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.NORMAL,
    source=Source(
        "OpenAI Realtime guide, function calling",
        "Add the result as an item function_call_output with the call's call_id, then send response.create: "
        "the model does not go on by itself.",
        TOOLS_GUIDE,
    ),
    needs=("turns.response-completes",),
    when=(CALLED, RUN_HERE),
    causes={
        "tool-unanswered": Cause(
            "a tool was called, and its output never came",
            "answer every function_call of a response.done, failures and time-outs too, each with a "
            "function_call_output that has its own call_id",
        ),
        "answer-unspoken": Cause(
            "the tool's output came, and no response was asked for",
            "send response.create after the function_call_output, once for all calls of a response (not "
            "where the tool is one that nobody waits for, such as a note in a log)",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
    },
)
def tools_answered(timeline: Timeline) -> Finding:
    """An output of each call that was 8 s ago, and a response within 3 s of the last output of a reply."""
    outputs, end = _outputs(timeline), last_moment(timeline)
    responses = [event.at for event in timeline.server_events("response.created")]
    calls = tool_calls(timeline)
    for call in calls:
        answered = outputs.get(call.call_id)
        quote = Evidence(call.at, f"{call.name} is called, {call.call_id}")
        if answered is None:
            if end - call.at >= RUN_SECONDS:
                seen = f"nothing with its call_id for {end - call.at:.1f} s"
                return Violation("tool-unanswered", f"{call.name} was called, and {seen}", (quote,))
            continue
        together = [outputs[each.call_id] for each in calls if each.at == call.at and each.call_id in outputs]
        last = max(together)  # calls of one response are answered together
        spoken = any(answered <= at <= last + SPEAK_SECONDS for at in responses)
        if not spoken and end - last >= SPEAK_SECONDS:
            said = Evidence(answered, "function_call_output")
            why = f"no response within {SPEAK_SECONDS:g} s of the output of {call.name}"
            return Violation("answer-unspoken", why, (quote, said))
    return None


def _tools(timeline: Timeline, at: float) -> Iterator[Mapping[str, Any]]:
    """The functions that may be called: the session's, and those that a response was asked for with."""
    yield from tables(session_in_force(timeline, at), "tools")
    for event in timeline.client_events("response.create"):
        yield from tables(event.event, "response", "tools")


def _listed(value: object) -> bool:
    return isinstance(value, list)


def _parsed(arguments: str) -> dict[str, Any] | None:
    try:
        found = json.loads(arguments)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
