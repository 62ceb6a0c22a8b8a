"""The small parts that the conversation is made of."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import UsageError
from harness.fakes.openai.conversation.agenda import Agenda
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.conversation.tools import example
from harness.fakes.openai.conversation.usage import (
    Tokens,
    assistant_audio_tokens,
    caller_audio_tokens,
    text_tokens,
    usage,
)
from harness.fakes.openai.conversation.variation import Variation
from harness.fakes.openai.ids import ALPHABET, Ids


def test_ids_are_a_prefix_and_21_base_62_characters() -> None:
    ids = Ids(random.Random(1))
    made = [ids.new("item") for _ in range(100)]
    assert len(set(made)) == 100
    assert all(i.startswith("item_") and len(i) == 26 and set(i[5:]) <= set(ALPHABET) for i in made)


def test_the_agenda_keeps_time_then_order() -> None:
    done: list[str] = []
    agenda = Agenda()
    for at, name in ((2.0, "c"), (1.0, "a"), (1.0, "b"), (3.0, "d")):
        agenda.add(at, lambda name=name: done.append(name))  # type: ignore[misc]  # bound now
    cancelled = agenda.add(0.5, lambda: done.append("never"))
    cancelled.cancel()
    assert agenda.next_deadline() == 1.0
    while (appointment := agenda.take_due(2.0)) is not None:
        assert appointment.action is not None
        appointment.action()
    assert done == ["a", "b", "c"]
    assert agenda.next_deadline() == 3.0


@given(text=st.text(), seed=st.none() | st.integers())
def test_deltas_join_to_the_text_again(text: str, seed: int | None) -> None:
    deltas = Variation(None if seed is None else random.Random(seed)).deltas(text)
    assert "".join(deltas) == text
    assert bool(deltas) == bool(text)


def test_without_a_seed_the_plainest_is_chosen() -> None:
    plain = Variation(None)
    assert [plain.either() for _ in range(5)] == [False] * 5


def test_tokens_are_counted_as_documented() -> None:
    assert (caller_audio_tokens(1000), assistant_audio_tokens(1000)) == (10, 20)
    assert (caller_audio_tokens(1), text_tokens("")) == (1, 0)


@given(counts=st.lists(st.integers(0, 10**6), min_size=6, max_size=6))
def test_usage_adds_up(counts: list[int]) -> None:
    context, output = Tokens(*counts[:2]), Tokens(*counts[2:4])
    seen = Tokens(min(context.text, counts[4]), min(context.audio, counts[5]))
    told = usage(context, seen.cached(), output, None)
    assert "reasoning_tokens" not in told["output_token_details"]
    assert told["total_tokens"] == told["input_tokens"] + told["output_tokens"]
    assert told["input_token_details"]["cached_tokens"] <= told["input_tokens"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (None, {}),
        ({"type": "object", "properties": {"a": {"type": "number", "minimum": 3}}}, {"a": 3}),
        (
            {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "boolean"}}}},
            {"a": [True]},
        ),
        ({"type": ["string", "null"]}, "example"),
        ({"default": 7}, 7),
        ({"enum": ["x", "y"]}, "x"),
    ],
)
def test_arguments_fit_their_schema(schema: Any, value: Any) -> None:
    assert example(schema) == value


schemas = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "enum", "minimum"]), inner, max_size=3
        )
    ),
)


@given(schema=schemas)
def test_no_schema_makes_the_example_raise(schema: object) -> None:
    example(schema)


def test_an_example_of_a_schema_without_end_ends() -> None:
    schema: dict[str, Any] = {"type": "object"}
    schema["properties"] = {"again": schema}
    assert example(schema)


def test_settings_can_be_changed_by_name() -> None:
    changed = ConversationSettings().changed({"reply_delay_ms": 700, "generation_speed": 2})
    assert (changed.reply_delay_ms, changed.generation_speed) == (700, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"reply_delay": 1},
        {"reply_delay_ms": "soon"},
        {"reply_delay_ms": True},
        {"reply_delay_ms": -1},
        {"vary": 1},
        {"generation_speed": 0},
        {"session_seconds": -1},
    ],
)
def test_a_senseless_setting_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ConversationSettings().changed(changes)
