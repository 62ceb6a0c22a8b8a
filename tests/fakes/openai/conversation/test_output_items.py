"""As gpt-realtime-2.1 was recorded and gpt-realtime not: phases, reasoning, a message beside a call."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from harness.fakes.openai.conversation import ConversationSettings
from tests.fakes.openai.driving import Driven

TOOL = {"type": "function", "name": "weather", "parameters": {"properties": {"city": {"type": "string"}}}}


def called(
    seed: int, transport: Literal["webrtc", "websocket"] = "webrtc", model: str = "gpt-realtime-2.1"
) -> Driven:
    session = {"type": "realtime", "model": model, "tools": [TOOL], "tool_choice": "required"}
    call = Driven(session=session, settings=ConversationSettings(), seed=seed, transport=transport).open()
    call.say()
    call.wait_until_quiet()
    return call


def kinds(call: Driven) -> list[str]:
    return [item["type"] for item in call.one("response.done")["response"]["output"]]


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
def test_a_call_of_a_model_that_reasons_may_stand_beside_a_message(
    transport: Literal["webrtc", "websocket"],
) -> None:
    calls = [called(seed, transport) for seed in range(8)]
    assert {tuple(kinds(call)) for call in calls} == {("function_call",), ("message", "function_call")}
    both = next(call for call in calls if len(kinds(call)) == 2)
    indices = [event["output_index"] for event in both.events if "output_index" in event]
    assert indices != sorted(indices), "their events stand between each other"
    message, made = both.one("response.done")["response"]["output"]
    assert (message["status"], made["status"]) == ("completed", "completed")
    assert json.loads(made["arguments"]) == {"city": "example"}
    for item in (message, made):
        own = [e["type"] for e in both.events if _item_of(e) == item["id"]]
        assert own[0] == "response.output_item.added"
        assert own[-2:] == ["conversation.item.done", "response.output_item.done"] or not own
    before = both.all("conversation.item.added")[-1]["previous_item_id"]
    assert before == message["id"], "each item comes after the one that was added before it"


def test_a_call_of_an_older_model_stands_alone() -> None:
    calls = [called(seed, model="gpt-realtime") for seed in range(8)]
    assert {tuple(kinds(call)) for call in calls} == {("function_call",)}
    assert all("phase" not in json.dumps(call.events) for call in calls)
    details = calls[0].one("response.done")["response"]["usage"]["output_token_details"]
    assert "reasoning_tokens" not in details


def test_a_conversation_tells_the_phase_of_its_messages_or_does_not() -> None:
    told = set()
    for seed in range(12):
        call = called(seed)
        phases = [
            item.get("phase")
            for item in call.one("response.done")["response"]["output"]
            if item["type"] == "message"
        ]
        told |= {*phases}
        call.send("session.update", session={"type": "realtime", "tool_choice": "none"})
        call.say()
        call.wait_until_quiet()
        told |= {call.last("response.done")["response"]["output"][0].get("phase")}
    assert told == {None, "commentary", "final_answer"}


def test_reasoning_is_part_of_the_text_that_is_billed() -> None:
    for seed in range(6):
        usage = called(seed).one("response.done")["response"]["usage"]
        details = usage["output_token_details"]
        assert 0 <= details["reasoning_tokens"] <= details["text_tokens"]
        assert usage["output_tokens"] == details["text_tokens"] + details["audio_tokens"]


def test_a_caller_who_interrupts_cuts_off_the_message_and_the_call() -> None:
    for seed in range(8):
        session = {"type": "realtime", "tools": [TOOL], "tool_choice": "required"}
        slow = ConversationSettings(generation_speed=1.0)
        call = Driven(session=session, settings=slow, seed=seed).open()
        call.say()
        call.wait(1.0)
        call.start_speaking()
        call.wait(0.5)
        done = call.all("response.done")
        if done and done[0]["response"]["status"] == "cancelled":
            assert all(
                item["status"] in ("completed", "incomplete") for item in done[0]["response"]["output"]
            )
            return
    raise AssertionError("no response was cut off")


def _item_of(event: dict[str, Any]) -> str:
    return str(event.get("item_id") or (event.get("item") or {}).get("id") or "")
