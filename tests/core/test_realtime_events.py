from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.realtime_events import (
    client_event_flaw,
    client_events,
    server_event_problem,
    server_events,
)

SESSION: dict[str, Any] = {
    "id": "sess_1",
    "object": "realtime.session",
    "type": "realtime",
    "expires_at": 1_800_000_000,
    "model": "gpt-realtime-2.1",
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "turn_detection": {"type": "server_vad", "threshold": 0.5},
            "transcription": None,
        },
        "output": {"voice": "alloy", "speed": 1.0},
    },
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": {}}}}],
}
ITEM: dict[str, Any] = {
    "id": "item_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_audio", "transcript": "Hi"}],
}
CREATED = {"type": "session.created", "event_id": "event_1", "session": SESSION}
ADDED = {"type": "conversation.item.added", "event_id": "event_2", "previous_item_id": None, "item": ITEM}
STARTED = {"type": "output_audio_buffer.started", "event_id": "event_3", "response_id": "resp_1"}


def changed(event: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The event with the value at `path` set; `...` removes it."""
    event = copy.deepcopy(event)
    target: Any = event
    *way, last = (int(word) if word.isdigit() else word for word in path.split("."))
    for word in way:
        target = target[word]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return event


def test_all_official_event_types_are_known() -> None:
    assert (len(server_events()), len(client_events())) == (46, 11)


@pytest.mark.parametrize("event", [CREATED, ADDED, STARTED])
def test_a_correct_event_has_no_problem(event: dict[str, Any]) -> None:
    assert server_event_problem(event) is None


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (changed(STARTED, "response_id", ...), "response_id: field required"),
        (changed(STARTED, "response_id", 3), "response_id: input should be a valid string"),
        (changed(STARTED, "extra", None), "extra: is not a field of the official type"),
        (
            changed(ADDED, "item.content.0.type", "audio"),
            "item.content[0].type: input should be 'output_audio' or 'output_text'",
        ),
        (
            changed(ADDED, "item.content.0.more", 1),
            "item.content[0].more: is not a field of the official type",
        ),
        (changed(ADDED, "item.content", ...), "item.content: field required"),
        (
            changed(ADDED, "item.role", "robot"),
            "item.role: input should be 'assistant', 'system' or 'user'",
        ),
        (changed(ADDED, "item.type", "poem"), "item.type: input should be 'function_call'"),
        (changed(CREATED, "session.turn_detection", None), "session.turn_detection: is not a field"),
        (
            changed(CREATED, "session.expires_at", "soon"),
            "session.expires_at: input should be a valid integer",
        ),
        (changed(CREATED, "session.type", ...), "session.type: "),
        (
            changed(CREATED, "session.audio.input.turn_detection.type", "vad"),
            "session.audio.input.turn_detection.type: ",
        ),
        (
            changed(CREATED, "session.audio.input.turn_detection.eagerness", "low"),
            "eagerness: is not a field",
        ),
    ],
)
def test_a_flaw_at_any_depth_is_named_by_its_path(event: dict[str, Any], problem: str) -> None:
    found = server_event_problem(event)
    assert found is not None
    assert problem in found.problem
    assert found.unknown_type is ("is not a field" in found.problem)


@pytest.mark.parametrize(
    ("event", "unknown"),
    [({"type": "session.invented"}, True), ({}, False), ({"type": None}, False), ([], False)],
)
def test_an_unknown_type_is_told_from_a_malformed_event(event: object, unknown: bool) -> None:
    found = server_event_problem(event)
    assert found is not None
    assert found.unknown_type is unknown


def test_the_free_schema_of_a_tool_is_not_searched_for_extra_fields() -> None:
    assert server_event_problem(changed(CREATED, "session.tools.0.parameters.any", {"thing": [1]})) is None


@pytest.mark.parametrize(
    ("session", "path", "kind"),
    [
        ({"type": "realtime"}, None, None),
        ({}, "session.type", "missing"),
        ({"type": "realtime", "turn_detection": None}, "session.turn_detection", "extra"),
        ({"type": "realtime", "instructions": 3}, "session.instructions", "type"),
        ({"type": "realtime", "output_modalities": ["smell"]}, "session.output_modalities[0]", "value"),
    ],
)
def test_the_flaw_of_a_client_event_says_where_and_of_which_kind(
    session: dict[str, Any], path: str | None, kind: str | None
) -> None:
    flaw = client_event_flaw({"type": "session.update", "session": session})
    assert (flaw and flaw.path, flaw and flaw.kind) == (path, kind)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(
    name=st.sampled_from(sorted(server_events())),
    fields=st.dictionaries(st.text(max_size=8), json_values, max_size=4),
)
def test_no_value_makes_the_check_raise(name: str, fields: dict[str, Any]) -> None:
    server_event_problem({**fields, "type": name})
    server_event_problem({**STARTED, **fields})
    server_event_problem({**ADDED, "item": fields})
    server_event_problem({**CREATED, "session": fields})


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (ADDED, "item.phase"),
        (
            {
                "type": "response.output_text.delta",
                "event_id": "event_4",
                "response_id": "resp_1",
                "item_id": "item_1",
                "output_index": 0,
                "content_index": 0,
                "delta": "Hi",
            },
            "obfuscation",
        ),
    ],
)
def test_a_field_that_the_api_was_recorded_to_send_is_no_flaw(event: dict[str, Any], path: str) -> None:
    assert server_event_problem(changed(event, path, "x")) is None
    unknown = server_event_problem(changed(event, f"{path}_2", "x"))
    assert unknown is not None
    assert unknown.unknown_type, "a newer server may send more than the package knows"
    assert client_event_flaw({"type": "response.create", "obfuscation": "x"}) is not None
