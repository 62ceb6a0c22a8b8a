"""Whatever a client sends and says, the conversation keeps its rules."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.realtime_events import client_events
from harness.fakes.openai.conversation import ConversationSettings, Send
from tests.fakes.openai.driving import Driven, SilentVoice

texts = st.text(max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
item_ids = st.sampled_from(["a", "b", "root", "nobody", "LAST"])
messages = st.fixed_dictionaries(
    {
        "type": st.just("message"),
        "role": st.just("user"),
        "content": st.just([{"type": "input_text", "text": "Hi"}]),
    },
    optional={"id": item_ids},
)
sessions = st.fixed_dictionaries(
    {"type": st.just("realtime")},
    optional={
        "instructions": texts | st.none(),
        "output_modalities": st.sampled_from([["audio"], ["text"], None]),
        "tools": st.sampled_from([[], [{"type": "function", "name": "f"}], None]),
        "tool_choice": st.sampled_from(["auto", "none", "required"]),
        "max_output_tokens": st.sampled_from([1, 30, 4096, "inf"]),
        "audio": st.fixed_dictionaries(
            {},
            optional={
                "input": st.fixed_dictionaries(
                    {},
                    optional={
                        "turn_detection": st.sampled_from(
                            [
                                None,
                                {"type": "server_vad", "idle_timeout_ms": 5000},
                                {"type": "server_vad", "interrupt_response": False},
                                {"type": "server_vad", "create_response": False},
                                {"type": "semantic_vad", "eagerness": "high"},
                            ]
                        ),
                        "transcription": st.sampled_from(
                            [None, {"model": "whisper-1"}, {"model": "gpt-transcribe"}]
                        ),
                    },
                ),
                "output": st.sampled_from(
                    [{"voice": "marin"}, {"speed": 1.5}, {"format": {"type": "audio/pcmu"}}]
                ),
            },
        ),
    },
)
meant_well = st.one_of(
    st.builds(lambda session: {"type": "session.update", "session": session}, sessions),
    st.sampled_from(
        [
            {"type": "input_audio_buffer.commit"},
            {"type": "input_audio_buffer.clear"},
            {"type": "output_audio_buffer.clear"},
            {"type": "response.create"},
            {"type": "response.create", "response": {"conversation": "none"}},
            {"type": "response.create", "response": {"output_modalities": ["text"], "input": []}},
            {"type": "response.cancel"},
            {"type": "response.cancel", "response_id": "RESPONSE"},
            {"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(4800)).decode()},
        ]
    ),
    st.builds(lambda item: {"type": "conversation.item.create", "item": item}, messages),
    st.builds(
        lambda item, after: {"type": "conversation.item.create", "item": item, "previous_item_id": after},
        messages,
        item_ids,
    ),
    st.builds(
        lambda verb, item_id: {"type": f"conversation.item.{verb}", "item_id": item_id},
        st.sampled_from(["retrieve", "delete"]),
        item_ids,
    ),
    st.builds(
        lambda item_id, end: {
            "type": "conversation.item.truncate",
            "item_id": item_id,
            "content_index": 0,
            "audio_end_ms": end,
        },
        item_ids,
        st.integers(-10, 3000),
    ),
)
meant_ill = st.one_of(
    st.dictionaries(
        texts | st.sampled_from(["type", "event_id", "session", "item"]), json_values, max_size=4
    ),
    st.builds(
        lambda name, fields: {**fields, "type": name},
        st.sampled_from(sorted(client_events())),
        st.dictionaries(
            texts | st.sampled_from(["session", "item", "response", "audio"]), json_values, max_size=3
        ),
    ),
    st.builds(
        lambda session, extra: {"type": "session.update", "session": {**session, **extra}},
        sessions,
        st.dictionaries(texts, json_values, max_size=2),
    ),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), meant_well),
        st.tuples(st.just("send"), meant_ill),
        st.tuples(st.just("raw"), st.binary(max_size=30) | st.text(max_size=30)),
        st.tuples(st.just("start"), st.none()),
        st.tuples(st.just("stop"), st.none()),
        st.tuples(st.just("stamp"), st.tuples(st.booleans(), st.integers(-1000, 100_000))),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.05, 0.3, 0.7, 2.5, 6.0])),
    ),
    max_size=25,
)


class Played(Driven):
    """Fills in ids that only the conversation knows, and counts what a message is answered with."""

    def message(self, event: dict[str, Any]) -> None:
        event = dict(event)
        if event.get("item_id") == "LAST":
            event["item_id"] = next(
                (e["item"]["id"] for e in reversed(self.all("conversation.item.added"))), "x"
            )
        if event.get("response_id") == "RESPONSE":
            created = self.all("response.created")
            event["response_id"] = created[-1]["response"]["id"] if created else "x"
        self.raw(json.dumps(event), event.get("event_id"))

    def raw(self, message: str | bytes, event_id: object = None) -> None:
        self.take(self.conversation.tick(self.now))
        before = self.conversation.session
        out = self.send_raw(message)
        errors = [o.event["error"] for o in out if isinstance(o, Send) and o.event["type"] == "error"]
        assert len(errors) <= 1
        if errors:
            assert len(out) == 1, "what is refused does nothing else"
            assert errors[0]["event_id"] in (event_id, None)
            assert self.conversation.session == before


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=steps, seed=st.integers(0, 5), webrtc=st.booleans(), speed=st.sampled_from([0.5, 4.0]))
def test_whatever_happens_the_order_holds_and_each_refusal_is_one_error(
    script: list[tuple[str, Any]], seed: int, webrtc: bool, speed: float
) -> None:
    call = Played(
        transport="webrtc" if webrtc else "websocket",
        settings=ConversationSettings(session_seconds=60.0, generation_speed=speed),
        seed=seed,
        voice=SilentVoice(900, "One two three."),
    )
    call.open()
    for kind, value in script:
        match kind:
            case "send":
                call.message(value)
            case "raw":
                call.raw(value)
            case "start":
                call.start_speaking()
            case "stop":
                call.stop_speaking()
            case "stamp":
                started, audio_ms = value
                heard = call.conversation.speech_started if started else call.conversation.speech_stopped
                call.take(heard(audio_ms, call.now))
            case _:
                call.wait(value)
    call.wait(5.0)
    created, done = call.all("response.created"), call.all("response.done")
    assert len(created) - len(done) <= 1, "only the answer to an idle timeout may still be in progress"


@settings(max_examples=200, deadline=None)
@given(event=meant_ill, event_id=st.none() | st.text(max_size=10))
def test_an_event_that_the_types_refuse_is_one_error_with_its_id(
    event: dict[str, Any], event_id: str | None
) -> None:
    call = Played().open()
    event = {**event, "type": "session.invented"}
    event.update({} if event_id is None else {"event_id": event_id})
    call.send_raw(json.dumps(event))
    assert len(call.errors) == 1
    given_id = event.get("event_id")
    assert call.errors[0]["event_id"] == (given_id if isinstance(given_id, str) else None)
