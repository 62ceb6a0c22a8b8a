from __future__ import annotations

import json
from itertools import pairwise

import pytest

from harness.fakes.openai.conversation import ConversationSettings
from tests.fakes.openai.driving import TYPED, WEATHER, Driven, codes


def test_a_second_response_in_the_conversation_is_refused_while_one_is_in_progress() -> None:
    call = Driven().open()
    call.send("response.create")
    call.send("response.create", event_id="second")
    assert [(e["code"], e["event_id"]) for e in call.errors] == [
        ("conversation_already_has_active_response", "second")
    ]


def test_cancelling_nothing_is_refused() -> None:
    call = Driven().open()
    call.send("response.cancel")
    call.send("response.cancel", response_id="resp_nobody")
    assert codes(call) == ["response_cancel_not_active"] * 2


def test_a_response_out_of_band_runs_beside_and_leaves_no_item() -> None:
    call = Driven().open()
    call.send("response.create")
    call.send("response.create", response={"conversation": "none", "metadata": {"topic": "x"}, "input": []})
    assert not call.errors
    beside = call.all("response.created")[1]["response"]
    assert (beside["conversation_id"], beside["metadata"]) == (None, {"topic": "x"})
    call.wait_until_quiet()
    call.wait(3)
    item_id = next(e for e in call.all("response.done") if e["response"]["id"] == beside["id"])["response"][
        "output"
    ][0]["id"]
    assert item_id not in [e["item"]["id"] for e in call.all("conversation.item.added")]
    call.send("conversation.item.retrieve", item_id=item_id)
    assert codes(call) == ["item_retrieve_invalid_item_id"]


def test_a_response_out_of_band_can_be_cancelled_by_its_id() -> None:
    call = Driven().open()
    call.send("response.create", response={"conversation": "none"})
    response_id = call.one("response.created")["response"]["id"]
    call.send("response.cancel", response_id=response_id)
    assert call.one("response.done")["response"]["status"] == "cancelled"


def test_input_items_stand_in_for_the_conversation_and_can_be_references() -> None:
    call = Driven().open()
    call.send("conversation.item.create", item={**TYPED, "id": "mine"})
    reference = {"type": "item_reference", "id": "mine"}
    call.send("response.create", response={"input": [reference, TYPED], "instructions": ""})
    call.wait_until_quiet()
    assert call.one("response.done")["response"]["usage"]["input_tokens"] == 6
    call.send("response.create", response={"input": [{"type": "item_reference", "id": "nobody"}]})
    assert [(e["code"], e["param"]) for e in call.errors] == [("invalid_value", "response.input[0].id")]


def test_a_text_response_has_no_audio() -> None:
    call = Driven(session={"type": "realtime", "output_modalities": ["text"]}).open()
    call.send("response.create")
    call.wait_until_quiet()
    names = call.types()
    assert not [name for name in names if "audio" in name]
    text = "".join(e["delta"] for e in call.all("response.output_text.delta"))
    assert call.one("response.output_text.done")["text"] == text
    done = call.one("response.done")["response"]
    assert done["output"][0]["content"] == [{"type": "output_text", "text": text}]
    assert done["usage"]["output_token_details"]["audio_tokens"] == 0


def test_text_can_be_asked_for_one_response_only() -> None:
    call = Driven().open()
    call.send("response.create", response={"output_modalities": ["text"]})
    call.wait_until_quiet()
    call.send("response.create")
    call.wait_until_quiet()
    assert [e["response"]["output_modalities"] for e in call.all("response.done")] == [["text"], ["audio"]]


def test_a_required_function_is_called_and_its_output_answered() -> None:
    call = Driven(session={"type": "realtime", "tools": [WEATHER], "tool_choice": "required"}).open()
    call.say()
    call.wait_until_quiet()
    made = call.one("response.function_call_arguments.done")
    assert json.loads(made["arguments"]) == {"city": "example", "days": 1, "unit": "C"}
    deltas = call.all("response.function_call_arguments.delta")
    assert "".join(e["delta"] for e in deltas) == made["arguments"]
    item = call.one("response.done")["response"]["output"][0]
    assert (item["type"], item["name"], item["call_id"]) == ("function_call", "weather", made["call_id"])
    output = {"type": "function_call_output", "call_id": made["call_id"], "output": '{"sun": true}'}
    call.send("conversation.item.create", item=output)
    call.send("response.create", response={"tool_choice": "auto"})
    call.wait_until_quiet()
    assert not call.errors
    assert call.last("response.done")["response"]["output"][0]["type"] == "message"


def test_with_auto_a_function_is_called_only_where_the_settings_say_so() -> None:
    for calls in (False, True):
        settings = ConversationSettings(
            call_tools=calls, vary=False, tool_arguments={"weather": '{"city": "Lima"}'}
        )
        call = Driven(session={"type": "realtime", "tools": [WEATHER]}, settings=settings).open()
        call.say()
        call.wait_until_quiet()
        made = [e["arguments"] for e in call.all("response.function_call_arguments.done")]
        assert made == (['{"city": "Lima"}'] if calls else [])


def test_a_function_can_be_chosen_by_name_and_none_forbids_all() -> None:
    other = {"type": "function", "name": "time", "parameters": None}
    call = Driven(session={"type": "realtime", "tools": [WEATHER, other], "tool_choice": "none"}).open()
    call.send("response.create", response={"tool_choice": {"type": "function", "name": "time"}})
    call.wait_until_quiet()
    assert call.one("response.function_call_arguments.done")["name"] == "time"
    call.send("response.create")
    call.wait_until_quiet()
    assert len(call.all("response.function_call_arguments.done")) == 1


def test_a_response_beyond_its_token_limit_is_incomplete() -> None:
    call = Driven().open()
    call.send("response.create", response={"max_output_tokens": 20})
    call.wait_until_quiet()
    done = call.one("response.done")["response"]
    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert 0 < done["usage"]["output_tokens"] <= 20
    assert done["output"][0]["status"] == "incomplete"


def test_the_conversation_is_billed_again_with_each_response() -> None:
    call = Driven(session={"type": "realtime", "instructions": "x" * 40}).open()
    usages = []
    for _ in range(3):
        call.say(2.0)
        call.wait_until_quiet()
        call.wait(0.5)
        usages.append(call.last("response.done")["response"]["usage"])
    first, second, third = usages
    words = 7  # 28 letters of the reply's transcript
    details = {"text_tokens": words, "audio_tokens": 40, "reasoning_tokens": 0}
    assert first["output_token_details"] == details
    assert first["input_token_details"]["text_tokens"] == 10
    assert first["input_token_details"]["cached_tokens"] == 0
    grown = second["input_token_details"]["audio_tokens"] - first["input_token_details"]["audio_tokens"]
    spoken = second["input_token_details"]["audio_tokens"] - first["input_token_details"]["audio_tokens"] - 40
    assert grown == 40 + spoken
    assert 20 <= spoken <= 23, "2 s of the caller and the padding, at 100 ms a token"
    assert third["input_token_details"]["cached_tokens"] >= 64
    for usage in usages:
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        details = usage["input_token_details"]
        assert usage["input_tokens"] == details["text_tokens"] + details["audio_tokens"]
        assert details["cached_tokens"] <= usage["input_tokens"]


def test_what_was_not_heard_is_not_billed_again() -> None:
    call = Driven().open()
    call.say(1.0)
    call.wait(1.0)
    call.say(1.0)
    call.wait_until_quiet()
    heard_ms = call.one("conversation.item.truncated")["audio_end_ms"]
    first, second = (
        e["response"]["usage"]["input_token_details"]["audio_tokens"] for e in call.all("response.done")
    )
    assert second - first == pytest.approx(heard_ms / 50 + 10, abs=4)


def test_the_rate_limit_counts_down_after_each_response_in_the_conversations_that_tell_it() -> None:
    told = []
    for seed in range(8):
        call = Driven(settings=ConversationSettings(), seed=seed).open()
        for _ in range(2):
            call.send("response.create")
            call.wait_until_quiet()
        limits = [limit for e in call.all("rate_limits.updated") for limit in e["rate_limits"]]
        told.append(len(limits))
        if limits:
            assert [limit["name"] for limit in limits] == ["tokens", "tokens"]
            assert limits[1]["remaining"] < limits[0]["remaining"]
            names = [name for name in call.types() if not name.startswith("output_audio_buffer")]
            after = [before for before, name in pairwise(names) if name == "rate_limits.updated"]
            assert after == ["response.done", "response.done"]
    assert set(told) == {0, 2}, "some conversations tell it, others never do"
