from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.fields import field
from harness.core.session import TurnDetection, session_in_force, turn_detection, turn_detection_at
from tests.support.timelines import SESSION, server, timeline_of


def vad(value: object) -> dict[str, Any]:
    return {"audio": {"input": {"turn_detection": value}}}


def test_the_session_in_force_is_the_last_one_told_before_the_moment() -> None:
    timeline = timeline_of(
        [
            server(1.0, "session.created", session={**SESSION, "instructions": "one"}),
            server(2.0, "session.updated", session={**SESSION, "instructions": "two"}),
        ]
    )
    assert session_in_force(timeline, 0.5) == {}
    assert session_in_force(timeline, 1.5)["instructions"] == "one"
    assert session_in_force(timeline)["instructions"] == "two"


def test_turn_detection_is_read_with_its_settings() -> None:
    given_ = {
        "type": "server_vad",
        "prefix_padding_ms": 100,
        "silence_duration_ms": 200,
        "create_response": False,
    }
    assert turn_detection(vad(given_)) == TurnDetection("server_vad", 100, 200, create_response=False)


def test_what_is_not_said_has_its_documented_default() -> None:
    found = turn_detection(vad({"type": "server_vad"}))
    assert (found.prefix_padding_ms, found.silence_duration_ms) == (300, 500)
    assert found.create_response
    assert found.interrupt_response


@pytest.mark.parametrize(
    ("session", "kind"),
    [
        (vad({"type": "semantic_vad", "eagerness": "low"}), "semantic_vad"),
        (vad(None), "off"),
        ({"audio": {"input": {}}}, "unknown"),
        ({}, "unknown"),
        ({"turn_detection": {"type": "server_vad"}}, "server_vad"),
        ({"turn_detection": None}, "off"),
    ],
)
def test_null_is_off_and_absent_is_unknown(session: dict[str, Any], kind: str) -> None:
    assert turn_detection(session).kind == kind


def test_before_any_session_nothing_is_known() -> None:
    assert turn_detection_at(timeline_of([])).kind == "unknown"


def test_a_field_is_found_by_its_path_or_is_none() -> None:
    assert field({"a": {"b": 1}}, "a", "b") == 1
    assert field({"a": [1]}, "a", "b") is None
    assert field(None, "a") is None


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["audio", "input", "turn_detection", "type", "prefix_padding_ms"]),
            inner,
            max_size=3,
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["audio", "turn_detection"]), values))
def test_whatever_a_session_holds_it_can_be_read(session: dict[str, Any]) -> None:
    turn_detection(session)
