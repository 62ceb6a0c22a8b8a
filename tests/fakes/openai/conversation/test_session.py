from __future__ import annotations

from typing import Any

import pytest

from harness.fakes.openai.conversation import RefusedError, check_session
from tests.fakes.openai.driving import Driven

DEFAULTS = {
    "type": "realtime",
    "object": "realtime.session",
    "model": "gpt-realtime-2.1",
    "output_modalities": ["audio"],
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "truncation": "auto",
}
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}


def at(data: Any, path: str) -> Any:
    for name in path.split("."):
        data = data[name]
    return data


def test_the_session_begins_with_the_observed_defaults() -> None:
    session = Driven().open().one("session.created")["session"]
    assert {name: session[name] for name in DEFAULTS} == DEFAULTS
    assert session["id"].startswith("sess_")
    assert session["id"] == "sess_C9G8zqvFhTLkT5wM3qYkz", "a caller can tell its call's id, rtc_…, from it"
    assert session["audio"]["output"]["voice"] == "marin"
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }


@pytest.mark.parametrize(
    ("model", "voice", "silence_ms"), [("gpt-realtime", "alloy", 200), ("gpt-realtime-2.1", "marin", 500)]
)
def test_each_model_has_its_own_defaults(model: str, voice: str, silence_ms: int) -> None:
    call = Driven(session={"type": "realtime", "model": model}).open()
    audio = call.one("session.created")["session"]["audio"]
    assert audio["output"]["voice"] == voice
    assert audio["input"]["turn_detection"]["silence_duration_ms"] == silence_ms
    call.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    call.update(audio={"input": {"turn_detection": {"type": "server_vad"}}})
    assert call.conversation.turn_detection is not None
    assert call.conversation.turn_detection["silence_duration_ms"] == silence_ms


def test_a_refused_session_leaves_the_defaults_of_the_fakes_own_model() -> None:
    config = {"type": "realtime", "model": "gpt-realtime", "max_output_tokens": 0}
    session = Driven(session=config).open().one("session.created")["session"]
    assert (session["model"], session["audio"]["output"]["voice"]) == ("gpt-realtime-2.1", "marin")


def test_the_session_that_the_call_was_made_with_is_in_force_from_the_start() -> None:
    config = {
        "type": "realtime",
        "model": "gpt-realtime-2.1-mini",
        "instructions": "Be brief.",
        "tools": [TOOL],
    }
    session = Driven(session=config).open().one("session.created")["session"]
    assert (session["model"], session["instructions"]) == ("gpt-realtime-2.1-mini", "Be brief.")
    assert session["tools"] == [TOOL]


def test_a_bad_session_leaves_the_call_on_defaults_and_says_so() -> None:
    call = Driven(session={"modalities": ["audio"]}).open()
    assert call.types() == ["session.created", "error"]
    assert call.errors[0]["code"] == "missing_required_parameter"


def test_an_update_is_answered_with_the_whole_session() -> None:
    call = Driven().open()
    call.update(instructions="Sé breve.", tools=[TOOL], truncation="disabled", output_modalities=["text"])
    session = call.one("session.updated")["session"]
    assert set(session) == set(call.one("session.created")["session"])
    assert session["instructions"] == "Sé breve."
    assert session["tools"] == [TOOL]
    assert session["truncation"] == "disabled"
    assert session["output_modalities"] == ["text"]
    assert session == call.conversation.session


def test_what_an_update_omits_is_kept_in_depth() -> None:
    call = Driven().open()
    call.update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.7}}})
    call.update(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 200}}})
    call.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
    detection = call.conversation.turn_detection
    assert detection is not None
    assert (detection["threshold"], detection["silence_duration_ms"]) == (0.7, 200)
    assert call.conversation.session["audio"]["input"]["transcription"] == {
        "model": "whisper-1",
        "language": None,
        "prompt": None,
    }


def test_another_kind_of_turn_detection_starts_from_its_own_defaults() -> None:
    call = Driven().open()
    call.update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}})
    assert call.conversation.turn_detection == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": True,
        "interrupt_response": True,
    }


@pytest.mark.parametrize(
    ("changes", "path", "value"),
    [
        ({"instructions": ""}, "instructions", ""),
        ({"tools": []}, "tools", []),
        ({"instructions": None}, "instructions", ""),
        ({"tools": None}, "tools", []),
        ({"max_output_tokens": None}, "max_output_tokens", "inf"),
        ({"tracing": None}, "tracing", None),
        ({"audio": {"input": {"turn_detection": None}}}, "audio.input.turn_detection", None),
        ({"audio": {"input": {"transcription": None}}}, "audio.input.transcription", None),
        ({"audio": {"output": {"voice": None}}}, "audio.output.voice", "marin"),
        ({"model": None}, "model", "gpt-realtime-2.1"),
        ({"audio": None}, "audio.output.voice", "marin"),
    ],
)
def test_empty_values_clear_what_can_be_empty(changes: dict[str, Any], path: str, value: object) -> None:
    config = {
        "type": "realtime",
        "instructions": "x",
        "tools": [TOOL],
        "max_output_tokens": 100,
        "audio": {"input": {"transcription": {"model": "whisper-1"}}, "output": {"voice": "marin"}},
    }
    call = Driven(session=config).open()
    call.update(**changes)
    assert at(call.one("session.updated")["session"], path) == value


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"instructions": "x"}, "missing_required_parameter", "session.type"),
        ({"type": "realtime", "turn_detection": None}, "unknown_parameter", "session.turn_detection"),
        ({"type": "realtime", "modalities": ["text"]}, "unknown_parameter", "session.modalities"),
        ({"type": "realtime", "voice": "alloy"}, "unknown_parameter", "session.voice"),
        ({"type": "realtime", "temperature": 0.8}, "unknown_parameter", "session.temperature"),
        (
            {"type": "realtime", "max_response_output_tokens": 10},
            "unknown_parameter",
            "session.max_response_output_tokens",
        ),
        ({"type": "realtime", "id": "sess_mine"}, "unknown_parameter", "session.id"),
        ({"type": "realtime", "instructions": 3}, "invalid_type", "session.instructions"),
        (
            {"type": "realtime", "output_modalities": ["smell"]},
            "invalid_value",
            "session.output_modalities[0]",
        ),
        (
            {"type": "realtime", "output_modalities": ["text", "audio"]},
            "invalid_value",
            "session.output_modalities",
        ),
        ({"type": "realtime", "max_output_tokens": 0}, "invalid_value", "session.max_output_tokens"),
        ({"type": "realtime", "max_output_tokens": 5000}, "invalid_value", "session.max_output_tokens"),
        (
            {"type": "realtime", "tools": [{"type": "function"}]},
            "missing_required_parameter",
            "session.tools[0].name",
        ),
        ({"type": "realtime", "tools": [TOOL, TOOL]}, "invalid_value", "session.tools[1].name"),
        (
            {"type": "realtime", "tools": [{**TOOL, "strict": True}]},
            "unknown_parameter",
            "session.tools[0].strict",
        ),
        (
            {"type": "realtime", "tools": [{**TOOL, "description": "d" * 1025}]},
            "string_above_max_length",
            "session.tools[0].description",
        ),
        (
            {"type": "realtime", "audio": {"output": {"voice": "bob"}}},
            "invalid_value",
            "session.audio.output.voice",
        ),
        (
            {"type": "realtime", "audio": {"output": {"speed": 3}}},
            "invalid_value",
            "session.audio.output.speed",
        ),
        (
            {"type": "realtime", "audio": {"input": {"format": {"type": "audio/mp3"}}}},
            "invalid_value",
            "session.audio.input.format.type",
        ),
        (
            {"type": "realtime", "audio": {"input": {"turn_detection": {"threshold": 0.5}}}},
            "missing_required_parameter",
            "session.audio.input.turn_detection.type",
        ),
    ],
)
def test_a_refused_update_is_one_error_and_changes_nothing(
    session: dict[str, Any], code: str, param: str
) -> None:
    call = Driven().open()
    before = call.conversation.session
    call.send("session.update", event_id="mine", session=session)
    assert call.types() == ["session.created", "error"]
    assert call.errors == [
        {
            "type": "invalid_request_error",
            "code": code,
            "message": call.errors[0]["message"],
            "param": param,
            "event_id": "mine",
        }
    ]
    assert call.conversation.session == before
    with pytest.raises(RefusedError):
        check_session(session)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", 1.1),
        ("threshold", -0.1),
        ("prefix_padding_ms", -1),
        ("silence_duration_ms", -1),
        ("idle_timeout_ms", 4999),
        ("idle_timeout_ms", 30001),
    ],
)
def test_turn_detection_has_documented_ranges(field: str, value: float) -> None:
    call = Driven().open()
    call.update(audio={"input": {"turn_detection": {"type": "server_vad", field: value}}})
    assert [(e["code"], e["param"]) for e in call.errors] == [
        ("invalid_value", f"session.audio.input.turn_detection.{field}")
    ]


def test_a_good_field_beside_a_bad_one_is_dropped_with_it() -> None:
    call = Driven().open()
    call.update(instructions="New.", temperature=1)
    assert call.conversation.session["instructions"] != "New."


def test_the_voice_is_locked_once_the_assistant_has_spoken() -> None:
    call = Driven().open()
    call.update(audio={"output": {"voice": "marin"}})
    call.say()
    call.wait_until_quiet()
    call.update(audio={"output": {"voice": "marin"}})
    assert not call.errors
    call.update(audio={"output": {"voice": "cedar"}})
    assert [e["code"] for e in call.errors] == ["cannot_update_voice"]
    call.send("response.create", response={"audio": {"output": {"voice": "cedar"}}})
    assert call.errors[-1]["code"] == "cannot_update_voice"


def test_the_model_can_be_repeated_but_not_changed() -> None:
    call = Driven().open()
    call.update(model="gpt-realtime-2.1")
    assert not call.errors
    call.update(model="gpt-realtime-2.1-mini")
    assert [(e["code"], e["param"]) for e in call.errors] == [("cannot_update_model", "session.model")]


def test_tracing_once_enabled_cannot_be_changed() -> None:
    call = Driven().open()
    call.update(tracing="auto")
    call.update(tracing={"workflow_name": "other"})
    assert [e["code"] for e in call.errors] == ["cannot_update_tracing"]


def test_an_update_that_comes_before_the_channel_is_reported_open_is_answered_after_session_created() -> None:
    call = Driven()
    assert call.update(instructions="early") == []
    call.open()
    assert call.types() == ["session.created", "session.updated"]


def test_a_custom_voice_is_accepted_by_its_id() -> None:
    call = Driven().open()
    call.update(audio={"output": {"voice": {"id": "voice_123"}}})
    call.say()
    call.wait_until_quiet()
    assert call.one("response.done")["response"]["audio"]["output"]["voice"] == "voice_123"


def test_a_voice_that_is_not_supported_is_refused_in_the_apis_words() -> None:
    call = Driven().open()
    call.update(audio={"output": {"voice": "nova"}})
    supported = "'alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', and 'cedar'"
    assert call.errors[0]["message"] == f"Invalid value: 'nova'. Supported values are: {supported}."


def test_a_description_that_is_too_long_is_told_its_length() -> None:
    call = Driven().open()
    call.update(tools=[{**TOOL, "description": "d" * 1024}])
    assert not call.errors
    call.update(instructions="New.", tools=[{**TOOL, "description": "d" * 1057}])
    assert call.errors[0]["message"] == (
        "Invalid 'session.tools[0].description': string too long. Expected a string with maximum length "
        "1024, but got a string with length 1057 instead."
    )
    assert call.conversation.session["instructions"] != "New.", "the session is refused as a whole"
