"""Calls of tools in which nothing is wrong, however they are run."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.events import Event
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, judge
from harness.requirements.turns.tools import tool_calls
from tests.requirements.turns_cases import answering, calling
from tests.support.editing import told
from tests.support.timelines import client, server, usage

TOOLS = ("turns.tool-calls", "turns.tools-answered")


def spoken(at: float = 10.0) -> list[Event]:
    """A response that says what came of it."""
    message = {"type": "message", "content": [{"type": "output_audio", "transcript": "Tomorrow."}]}
    done = {"id": "resp_10", "status": "completed", "output": [message], "usage": usage(0)}
    return [
        server(at, "response.created", response={"id": "resp_10", "status": "in_progress"}),
        server(at + 0.5, "response.done", response=done),
    ]


def called_twice() -> list[Event]:
    """Two calls of one response: the second is answered 5 s after the first, and then all is spoken."""
    call = {"type": "function_call", "call_id": "call_2", "name": "look_up", "arguments": '{"order": "B"}'}

    def both(event: dict[str, Any]) -> None:
        if event["response"]["id"] == "resp_9":
            event["response"]["output"].append(call)

    return [
        *told(calling(), "response.done", both),
        *answering("call_1"),
        *answering("call_2", 14.5),
        *spoken(15.0),
    ]


def of_the_page() -> list[Event]:
    item = {"type": "function_call_output", "call_id": "call_1", "output": "tomorrow"}
    return [*calling(), client(9.2, "conversation.item.create", item=item), *spoken()]


PASSED, NOT_APPLICABLE = Outcome.PASSED, Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        ([*calling(), *answering("call_1"), *spoken()], (PASSED, PASSED)),
        (of_the_page(), (PASSED, PASSED)),
        (called_twice(), (PASSED, PASSED)),
        # Nobody here is seen to run tools: a page may, which is not in this call.
        (calling(), (PASSED, NOT_APPLICABLE)),
        # The call ended before an answer could be missed.
        ([*calling(end=13.0), *answering("call_0")], (PASSED, PASSED)),
        ([*calling(end=12.0), *answering("call_1")], (PASSED, PASSED)),
    ],
)
def test_a_tool_that_is_run_as_it_should_be_is_no_finding(
    events: list[Event], outcomes: tuple[Outcome, Outcome]
) -> None:
    timeline = Timeline(sorted(events, key=lambda event: event.at))
    assert tuple(v.outcome for v in judge([timeline], REGISTRY) if v.id in TOOLS) == outcomes


def test_what_was_cancelled_is_nobodys_to_run() -> None:
    def cancel(event: dict[str, Any]) -> None:
        if event["response"]["id"] == "resp_9":
            event["response"]["status"] = "cancelled"

    assert len(tool_calls(Timeline(calling()))) == 1
    assert tool_calls(Timeline(told(calling(), "response.done", cancel))) == []
