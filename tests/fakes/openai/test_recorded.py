"""The fake against the recordings: conversations of every kind, and each difference named and explained."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from harness.core.realtime_events import server_event_problem
from harness.fakes.openai.conversation import ConversationSettings
from tests.fakes.openai.driving import Driven
from tests.fakes.openai.order import order_violations
from tests.fakes.recorded import EXPLAINED, OrderWatch, differences, explanation, kind_of
from tests.fakes.recorded.shapes import recorded

TOOLS = [
    {
        "type": "function",
        "name": name,
        "description": "Says it.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
    for name in ("weather", "traffic")
]
IDLE: dict[str, Any] = {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}}
TYPED: dict[str, Any] = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "Hello"}],
}


def heard(model: str) -> dict[str, Any]:
    return {"input": {"transcription": {"model": model}}}


# Each is one conversation from its beginning to its end.


def three_spoken_turns(call: Driven) -> None:
    call.update(audio=heard("gpt-realtime-whisper"))
    for text in ("I would like to order something.", "Two of them, please, and one of these.", "Thank you."):
        call.conversation.expect(text)
        call.say(1.6)
        call.wait_until_quiet()
        call.wait(0.5)


def a_greeting(call: Driven) -> None:
    call.update(audio={"output": {"format": {"type": "audio/pcmu"}}})
    call.send("response.create")
    call.wait_until_quiet()


def typed_turns(call: Driven) -> None:
    call.send("conversation.item.create", item=TYPED)
    call.send("response.create", response={"output_modalities": ["text"]})
    call.wait_until_quiet()
    answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    call.send("conversation.item.create", item=answer)
    call.send("conversation.item.create", item={**TYPED, "role": "system"})
    call.send("response.create")
    call.wait_until_quiet()
    call.send("response.create", response={"conversation": "none", "metadata": {"topic": "none"}})
    call.wait_until_quiet()


def two_tools(call: Driven) -> None:
    call.update(tools=TOOLS, tool_choice="required")
    for _ in range(2):
        call.say()
        call.wait_until_quiet()
        made = call.all("response.function_call_arguments.done")[-1]
        output = {"type": "function_call_output", "call_id": made["call_id"], "output": "{}"}
        call.send("conversation.item.create", item=output)
        call.send("response.create", response={"tool_choice": "none"})
        call.wait_until_quiet()


def interruptions(call: Driven) -> None:
    call.update(tools=TOOLS)
    for _ in range(3):
        call.say()
        call.wait(0.8)
    call.wait_until_quiet()
    for event in ("response.cancel", "output_audio_buffer.clear"):
        call.send("response.create")
        call.wait(0.5)
        call.send(event)
    call.wait_until_quiet()
    call.send("response.create", response={"tool_choice": "required"})
    call.wait(0.31)
    call.send("response.cancel")
    call.send("response.create", response={"output_modalities": ["text"]})
    call.wait(0.31)
    call.send("response.cancel")
    call.send("response.create")
    call.send("response.cancel")


def other_events(call: Driven) -> None:
    call.send("nonsense")
    call.update(
        audio=IDLE,
        max_output_tokens=30,
        tracing="auto",
    )
    call.say()
    call.wait_until_quiet()
    call.wait(8.0)
    call.wait_until_quiet()
    call.update(audio={"input": {"turn_detection": {"type": "semantic_vad"}, "noise_reduction": None}})
    item = call.all("conversation.item.done")[0]["item"]["id"]
    for verb in ("retrieve", "delete"):
        call.send(f"conversation.item.{verb}", item_id=item)
    call.update(audio={"input": {"turn_detection": None}})
    call.send("input_audio_buffer.clear")


def transcripts(call: Driven) -> None:
    for model in ("whisper-1", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"):
        call.update(audio=heard(model))
        call.say()
        call.wait_until_quiet()
        call.wait(0.5)


CONVERSATIONS = (
    three_spoken_turns,
    a_greeting,
    typed_turns,
    two_tools,
    interruptions,
    other_events,
    transcripts,
)
MODELS = ("gpt-realtime", "gpt-realtime-2.1")
TRANSPORTS: tuple[Literal["webrtc", "websocket"], ...] = ("webrtc", "websocket")


SEEDS = (1, 2)  # one tells phases, one its rate limits
VARIED = ConversationSettings()


def driven() -> Iterator[Driven]:
    """All conversations with both recorded models over both transports, each of two seeds."""
    for model, transport, seed, talk in itertools.product(MODELS, TRANSPORTS, SEEDS, CONVERSATIONS):
        call = Driven(
            session={"type": "realtime", "model": model},
            transport=transport,
            seed=seed,
            settings=VARIED,
            strict=False,
        )
        talk(call.open())
        yield call
    for seed in SEEDS:
        session: dict[str, Any] = {"type": "transcription", "audio": heard("gpt-transcribe")}
        call = Driven(session=session, seed=seed, settings=VARIED, strict=False).open()
        call.say()
        call.send("session.update", session={"type": "transcription"})
        call.wait(1.0)
        yield call


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    calls = list(driven())
    for call in calls:
        assert order_violations(call.events) == []
        assert not [problem for event in call.events if (problem := server_event_problem(event))]
    return [event for call in calls for event in call.events]


def test_every_difference_from_the_recordings_is_explained(events: list[dict[str, Any]]) -> None:
    new = {line for event in events for line in differences(event) if explanation(line) is None}
    assert sorted(new) == []


def test_every_explanation_is_needed(events: list[dict[str, Any]]) -> None:
    used = {found.what for event in events for line in differences(event) if (found := explanation(line))}
    assert [e.what for e in EXPLAINED if e.what not in used] == []


def test_every_recorded_kind_of_event_was_driven(events: list[dict[str, Any]]) -> None:
    assert set(recorded()) - {kind_of(event) for event in events} == set()


# --- a checker that finds nothing proves nothing ---


def _without(path: str) -> Callable[[dict[str, Any]], None]:
    def spoil(event: dict[str, Any]) -> None:
        *way, last = path.split(".")
        target: Any = event
        for name in way:
            target = target[int(name)] if name.isdigit() else target[name]
        del target[last]

    return spoil


def _with(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def spoil(event: dict[str, Any]) -> None:
        *way, last = path.split(".")
        target: Any = event
        for name in way:
            target = target[int(name)] if name.isdigit() else target[name]
        target[last] = value

    return spoil


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("conversation.item.added/message/user/input_audio", _without("item.content.0.transcript")),
        ("conversation.item.done/message/user/input_audio", _with("item.object", "realtime.item")),
        ("conversation.item.done/function_call_output", _with("item.status", "completed")),
        ("response.created", _without("response.usage")),
        ("response.created", _with("response.usage", {})),
        ("response.done", _without("response.status_details")),
        ("response.done", _with("response.object", "response")),
        ("response.done", _without("response.usage.input_token_details.cached_tokens_details.text_tokens")),
        ("response.output_text.delta", _without("obfuscation")),
        ("response.output_audio.delta", _with("obfuscation", "x")),
        ("response.content_part.added", _with("part.transcript", None)),
        ("rate_limits.updated", _with("rate_limits.0.name", "requests")),
        ("session.created", _without("session.audio.output.voice")),
        ("session.created", _without("session.expires_at")),
        ("session.updated", _without("session.audio.input.transcription.language")),
        ("input_audio_buffer.committed", _with("previous_item_id", 3)),
    ],
)
def test_a_field_that_is_not_as_recorded_is_a_new_difference(
    events: list[dict[str, Any]], kind: str, spoil: Callable[[dict[str, Any]], None]
) -> None:
    event = copy.deepcopy(next(event for event in events if kind_of(event) == kind))
    before = set(differences(event))
    spoil(event)
    assert [line for line in set(differences(event)) - before if explanation(line) is None]


def test_a_kind_of_event_that_was_never_seen_is_a_new_difference() -> None:
    [line] = differences({"type": "response.output_video.delta", "event_id": "event_1"})
    assert explanation(line) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("conversation.item.done", "response.output_item.done"),
        ("response.done", "rate_limits.updated"),
        ("response.output_item.added", "conversation.item.added"),
        ("response.output_audio.done", "response.output_audio_transcript.done"),
        ("input_audio_buffer.committed", "conversation.item.added"),
    ],
)
def test_two_events_the_other_way_round_than_recorded_are_a_violation(
    events: list[dict[str, Any]], first: str, second: str
) -> None:
    told = events.index(next(e for e in events if e["type"] == "rate_limits.updated"))
    begun = max(i for i, e in enumerate(events[:told]) if e["type"] == "session.created")
    turn = events[begun : told + 1]
    assert not [line for event, watch in _watched(turn) for line in watch.violations(event)]
    names = [event["type"] for event in turn]
    later = max(i for i, name in enumerate(names) if name == second)
    earlier = max(i for i, name in enumerate(names[:later]) if name == first)
    turn[earlier], turn[later] = turn[later], turn[earlier]
    assert [line for event, watch in _watched(turn) for line in watch.violations(event)]


def _watched(events: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], OrderWatch]]:
    watch = OrderWatch()
    return ((event, watch) for event in events)
