"""Transcription sessions, and words that come while the caller still speaks."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from harness.fakes.openai.conversation import ConversationSettings
from tests.fakes.callers import BEARER, CALLS, SESSION, Served, calling
from tests.fakes.openai.driving import Driven

STREAMING = "gpt-realtime-whisper"
TEXT = "I would like to change the address of my order, please."
EVENT = "conversation.item.input_audio_transcription"


def transcription(model: str = STREAMING, **audio_input: Any) -> dict[str, Any]:
    return {"type": "transcription", "audio": {"input": {"transcription": {"model": model}, **audio_input}}}


def spoken(session: dict[str, Any], seed: int = 0) -> Driven:
    """The caller says TEXT in 3 s, and all is waited for."""
    call = Driven(session=session, settings=ConversationSettings(), seed=seed).open()
    call.conversation.expect(TEXT)
    call.say(3.0)
    call.wait(1.0)
    call.wait_until_quiet()
    return call


@pytest.mark.parametrize("seed", range(4))
def test_words_come_while_the_caller_speaks_and_join_to_the_transcript(seed: int) -> None:
    session = {"type": "realtime", "audio": {"input": {"transcription": {"model": STREAMING}}}}
    call = spoken(session, seed)
    names = call.types()
    assert names.index(f"{EVENT}.delta") < names.index("input_audio_buffer.committed")
    last = len(names) - 1 - names[::-1].index(f"{EVENT}.delta")
    assert names.index("response.created") < last, "the last words are known after the end"
    assert "".join(e["delta"] for e in call.all(f"{EVENT}.delta")) == TEXT
    completed = call.one(f"{EVENT}.completed")
    item_id = call.one("input_audio_buffer.committed")["item_id"]
    assert {e["item_id"] for e in (*call.all(f"{EVENT}.delta"), completed)} == {item_id}
    assert completed["transcript"] == TEXT
    assert completed["usage"]["type"] == "duration"
    assert completed["usage"]["seconds"] in (3, 4)


def test_another_model_transcribes_when_all_is_said() -> None:
    session = {"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-transcribe"}}}}
    names = spoken(session).types()
    assert names.index("input_audio_buffer.committed") < names.index(f"{EVENT}.delta")


def test_words_stop_where_the_buffer_is_cleared() -> None:
    session = {"type": "realtime", "audio": {"input": {"transcription": {"model": STREAMING}}}}
    call = Driven(session=session).open()
    call.conversation.expect(TEXT)
    call.start_speaking()
    call.wait(1.0)
    call.send("input_audio_buffer.clear")
    before = len(call.all(f"{EVENT}.delta"))
    call.wait(2.0)
    assert len(call.all(f"{EVENT}.delta")) == before > 0


def test_a_transcription_session_hears_and_answers_nobody() -> None:
    call = spoken(transcription("gpt-transcribe"))
    session = call.one("session.created")["session"]
    assert (session["type"], session["object"]) == ("transcription", "realtime.transcription_session")
    assert "output" not in session["audio"]
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert call.one(f"{EVENT}.completed")["transcript"] == TEXT
    call.send("response.create")
    assert [error["code"] for error in call.errors] == ["invalid_parameter"]
    assert not [name for name in call.types() if name.startswith("response.")]


def test_a_model_that_streams_knows_no_turn_detection_in_a_transcription_session() -> None:
    call = Driven(session=transcription()).open()
    assert call.one("session.created")["session"]["audio"]["input"]["turn_detection"] is None
    call.send("session.update", session=transcription(turn_detection={"type": "server_vad"}))
    assert call.errors[0]["param"] == "session.audio.input.turn_detection"


def test_without_turn_detection_words_come_with_the_audio_before_the_commit() -> None:
    call = Driven(session=transcription(), transport="websocket").open()
    call.conversation.expect(TEXT)
    for _ in range(10):
        call.send("input_audio_buffer.append", audio=base64.b64encode(bytes(24_000)).decode())
        call.wait(0.3)
    call.send("input_audio_buffer.commit")
    call.wait(1.0)
    names = call.types()
    assert names.index(f"{EVENT}.delta") < names.index("input_audio_buffer.committed")
    assert {e["item_id"] for e in call.all(f"{EVENT}.delta")} == {
        call.one("input_audio_buffer.committed")["item_id"]
    }


@pytest.mark.parametrize(("held", "sent"), [("realtime", "transcription"), ("transcription", "realtime")])
def test_a_session_does_not_become_one_of_the_other_kind(held: str, sent: str) -> None:
    call = Driven(session={"type": held}).open()
    call.send("session.update", session={"type": sent})
    message = f"Passing a {sent} session update event to a {held} session is not allowed."
    assert [(error["code"], error["message"]) for error in call.errors] == [("invalid_parameter", message)]
    assert call.conversation.session["type"] == held


async def test_a_transcription_session_over_webrtc(served: Served) -> None:
    async with calling(served, transcription("gpt-transcribe")) as caller:
        created = await caller.event("session.created")
        assert created.event is not None
        assert created.event["session"]["type"] == "transcription"
        await caller.say("en-m-yes")
        await caller.event(f"{EVENT}.completed")
        assert not caller.timeline.server_events("response.created")


async def test_a_model_that_streams_hears_a_caller_over_webrtc(served: Served) -> None:
    """The words come with the audio: the fake knows the clip from its first packets."""
    session = {**SESSION, "audio": {"input": {"transcription": {"model": STREAMING}}}}
    async with calling(served, session) as caller:
        await caller.event("session.created")
        await caller.say("en-f-order")
        await caller.event(f"{EVENT}.completed")
        names = [event.type for event in caller.timeline.server_events()]
    assert names.index(f"{EVENT}.delta") < names.index("input_audio_buffer.committed")


async def test_a_transcription_session_over_a_websocket_and_with_an_ephemeral_key(served: Served) -> None:
    base = served.url.replace("http", "ws") + "/v1/realtime"
    made = await served.post("/v1/realtime/client_secrets", json={"session": transcription()})
    assert made.json()["session"]["object"] == "realtime.transcription_session"
    assert made.json()["session"]["expires_at"] == 0
    ephemeral = {"authorization": f"Bearer {made.json()['value']}"}
    for url, headers in ((f"{base}?intent=transcription", BEARER), (base, ephemeral)):
        async with connect(url, additional_headers=headers, proxy=None) as connection:
            assert json.loads(await connection.recv())["session"]["type"] == "transcription"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?intent=transcription&model=gpt-transcribe", "You must not provide a model parameter"),
        (f"?model={STREAMING}", "is not supported in realtime mode"),
    ],
)
async def test_a_model_in_the_wrong_place_is_refused(served: Served, query: str, words: str) -> None:
    url = served.url.replace("http", "ws") + "/v1/realtime" + query
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=BEARER, proxy=None):
            pass
    assert words in json.loads(refused.value.response.body or b"")["error"]["message"]


async def test_a_call_cannot_be_made_with_a_model_that_only_transcribes(served: Served) -> None:
    session = json.dumps({**SESSION, "model": STREAMING})
    response = await served.post(
        CALLS, files={"sdp": (None, "v=0", "application/sdp"), "session": (None, session)}
    )
    assert "is not supported in realtime mode" in response.json()["error"]["message"]
