from __future__ import annotations

import json
from typing import Any

import pytest

from harness.core.realtime_events import client_events
from harness.fakes.openai.conversation import ConversationSettings
from tests.fakes.openai.driving import REPLY_MS, TYPED, WEATHER, Driven, codes


def test_a_typed_message_is_added_and_answered() -> None:
    call = Driven().open()
    call.send("conversation.item.create", item={**TYPED, "id": "mine"})
    call.send("response.create")
    call.wait_until_quiet()
    assert call.types()[1:4] == ["conversation.item.added", "conversation.item.done", "response.created"]
    item = call.all("conversation.item.done")[0]["item"]
    assert item == {**TYPED, "id": "mine", "status": "completed"}


def test_an_item_can_be_put_first_or_after_another() -> None:
    call = Driven().open()
    for name, after in (("b", None), ("a", "root"), ("c", "b"), ("bb", "b")):
        place = {} if after is None else {"previous_item_id": after}
        call.send("conversation.item.create", item={**TYPED, "id": name}, **place)
    assert [e["previous_item_id"] for e in call.all("conversation.item.added")] == [None, None, "b", "b"]


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"item": TYPED, "previous_item_id": "nobody"}, "invalid_value", "previous_item_id"),
        ({"item": {**TYPED, "id": "x" * 33}}, "invalid_value", "item.id"),
        ({"item": {**TYPED, "role": "robot"}}, "invalid_value", "item.role"),
        ({"item": {"type": "poem"}}, "invalid_value", "item.type"),
        ({}, "missing_required_parameter", "item"),
        ({"item": {**TYPED, "content": [{"text": "x"}]}}, "missing_required_parameter", "item.content[0]"),
        (
            {"item": {"type": "function_call_output", "call_id": "call_x", "output": "{}"}},
            "invalid_tool_call_id",
            "item.call_id",
        ),
        (
            {"item": {"type": "message", "role": "assistant", "content": [{"type": "output_audio"}]}},
            "invalid_value",
            "item.content[0].type",
        ),
        (
            {"item": {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "?"}]}},
            "invalid_value",
            "item.content[0].audio",
        ),
    ],
)
def test_an_item_that_cannot_be_is_refused(fields: dict[str, Any], code: str, param: str) -> None:
    call = Driven().open()
    call.send("conversation.item.create", **fields)
    assert [(e["code"], e["param"]) for e in call.errors] == [(code, param)]
    assert "conversation.item.added" not in call.types()


def test_an_id_is_used_only_once_also_for_the_utterance_in_progress() -> None:
    call = Driven().open()
    call.send("conversation.item.create", item={**TYPED, "id": "mine"})
    call.send("conversation.item.create", item={**TYPED, "id": "mine"})
    call.start_speaking()
    speaking = call.one("input_audio_buffer.speech_started")["item_id"]
    call.send("conversation.item.create", item={**TYPED, "id": speaking[:32]})
    assert codes(call) == ["invalid_value", "invalid_value"]


def test_an_item_can_be_retrieved_and_deleted() -> None:
    call = Driven().open()
    call.send("conversation.item.create", item={**TYPED, "id": "mine"})
    call.send("conversation.item.retrieve", item_id="mine")
    assert call.one("conversation.item.retrieved")["item"]["id"] == "mine"
    call.send("conversation.item.delete", item_id="mine")
    assert call.one("conversation.item.deleted")["item_id"] == "mine"
    call.send("conversation.item.retrieve", item_id="mine")
    call.send("conversation.item.delete", item_id="mine")
    assert codes(call) == ["item_retrieve_invalid_item_id", "item_delete_invalid_item_id"]


def test_the_client_truncates_what_it_did_not_play() -> None:
    call = Driven(transport="websocket").open()
    call.say()
    call.wait_until_quiet()
    item_id = call.one("response.done")["response"]["output"][0]["id"]
    call.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=400)
    assert call.one("conversation.item.truncated")["audio_end_ms"] == 400
    call.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=401)
    assert codes(call) == ["invalid_value"], "no more is left than was kept"


@pytest.mark.parametrize(
    ("item_id", "index", "end", "code", "words"),
    [
        ("nobody", 0, 0, "item_truncate_invalid_item_id", "does not exist"),
        (
            "user",
            0,
            0,
            "unsupported_content_type",
            "Only model output audio messages can be truncated",
        ),
        ("assistant", 1, 0, "invalid_value", "content_index"),
        ("assistant", 0, -1, "invalid_value", "audio_end_ms"),
        (
            "assistant",
            0,
            999_999,
            "invalid_value",
            f"Audio content of {REPLY_MS}ms is already shorter than 999999ms",
        ),
    ],
)
def test_a_truncation_that_cannot_be_is_refused(
    item_id: str, index: int, end: int, code: str, words: str
) -> None:
    call = Driven(transport="websocket").open()
    call.send("conversation.item.create", item={**TYPED, "id": "user"})
    call.say()
    call.wait_until_quiet()
    found = call.one("response.done")["response"]["output"][0]["id"] if item_id == "assistant" else item_id
    call.send("conversation.item.truncate", item_id=found, content_index=index, audio_end_ms=end)
    assert codes(call) == [code]
    assert words in call.errors[0]["message"]


def test_an_item_without_audio_yet_cannot_be_truncated_at_0_ms() -> None:
    """What a client sends that is interrupted before it heard anything."""
    call = Driven(settings=ConversationSettings(reply_delay_ms=0, vary=False)).open()
    call.send("response.create")
    call.take(call.conversation.tick(call.now))
    item_id = call.one("response.output_item.added")["item"]["id"]
    call.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
    assert codes(call) == ["unsupported_content_type"]


@pytest.mark.parametrize("kind", ["text", "function_call"])
def test_what_was_not_spoken_cannot_be_truncated(kind: str) -> None:
    config: dict[str, Any] = {"type": "realtime", "output_modalities": ["text"]}
    if kind == "function_call":
        config |= {"tools": [WEATHER], "tool_choice": "required"}
    call = Driven(session=config).open()
    call.send("response.create")
    call.wait_until_quiet()
    item_id = call.one("response.done")["response"]["output"][0]["id"]
    call.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
    assert codes(call) == ["unsupported_content_type"]


@pytest.mark.parametrize(
    "raw", ["", "{", "[]", "null", '"text"', b"\xff\xfe", '{"type": NaN}', '{"type":"\\ud800"}']
)
def test_a_message_that_is_no_json_object_is_one_error(raw: str | bytes) -> None:
    call = Driven().open()
    call.send_raw(raw)
    assert codes(call) == ["invalid_json"]


def test_nesting_without_end_is_one_error() -> None:
    call = Driven().open()
    call.send_raw("[" * 100_000)
    call.send_raw('{"type":"session.update","session":' + '{"a":' * 5000 + "1" + "}" * 5001)
    assert len(codes(call)) == 2


@pytest.mark.parametrize(
    ("event", "code", "param", "echoed"),
    [
        ({}, "missing_required_parameter", "type", None),
        ({"type": 3, "event_id": "a"}, "invalid_value", "type", "a"),
        ({"type": "transcription_session.update", "event_id": "a"}, "invalid_value", "type", "a"),
        ({"type": "response.create", "event_id": 7}, "invalid_type", "event_id", None),
        ({"type": "response.create", "event_id": "x" * 513}, "string_above_max_length", "event_id", None),
        ({"type": "response.create", "extra": 1}, "unknown_parameter", "extra", None),
        ({"type": "session.update"}, "missing_required_parameter", "session", None),
        ({"type": "session.update", "session": []}, "invalid_type", "session", None),
        ({"type": "input_audio_buffer.append", "audio": "%%"}, "invalid_value", "audio", None),
        (
            {"type": "response.create", "response": {"conversation": "mine"}},
            "invalid_value",
            "response.conversation",
            None,
        ),
        (
            {"type": "response.create", "response": {"metadata": {"k": "v" * 513}}},
            "invalid_value",
            "response.metadata",
            None,
        ),
    ],
)
def test_a_flawed_event_is_one_error_that_names_the_field(
    event: dict[str, Any], code: str, param: str, echoed: str | None
) -> None:
    call = Driven().open()
    call.send_raw(json.dumps(event))
    assert [(e["code"], e["param"], e["event_id"]) for e in call.errors] == [(code, param, echoed)]


def test_clearing_the_output_is_for_webrtc_only_and_harmless_when_nothing_plays() -> None:
    call = Driven().open()
    call.send("output_audio_buffer.clear")
    assert call.types() == ["session.created"]
    socket = Driven(transport="websocket").open()
    socket.send("output_audio_buffer.clear")
    assert codes(socket) == ["invalid_value"]


def test_all_eleven_client_events_are_carried_out() -> None:
    call = Driven().open()
    call.wait(1.0)
    call.update()
    call.send("conversation.item.create", item={**TYPED, "id": "mine"})
    call.send("conversation.item.retrieve", item_id="mine")
    call.send("input_audio_buffer.append", audio="AAAA")
    call.send("input_audio_buffer.commit")
    call.send("input_audio_buffer.clear")
    call.send("response.create")
    call.wait(1.0)
    item_id = call.one("response.output_item.added")["item"]["id"]
    call.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=100)
    call.send("response.cancel") if not call.all("response.done") else None
    call.send("output_audio_buffer.clear")
    call.send("conversation.item.delete", item_id="mine")
    assert not call.errors
    assert len(client_events()) == 11
