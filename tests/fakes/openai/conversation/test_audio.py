from __future__ import annotations

import base64
from typing import Any

import pytest

from harness.fakes.openai.conversation import ConversationSettings, Play
from tests.fakes.openai.driving import REPLY_MS, Driven, SilentVoice

PLAIN = ConversationSettings(vary=False)


def vad(**changes: Any) -> dict[str, Any]:
    return {"input": {"turn_detection": {"type": "server_vad", **changes}}}


def test_a_transcript_that_was_told_is_the_transcript_that_comes() -> None:
    transcription = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
    call = Driven(session={"type": "realtime", "audio": transcription}).open()
    call.conversation.expect("¿Dónde está mi pedido?", "es")
    for _ in range(2):
        call.say()
        call.wait_until_quiet()
    name = "conversation.item.input_audio_transcription"
    told, unknown = (e["transcript"] for e in call.all(f"{name}.completed"))
    assert (told, unknown) == ("¿Dónde está mi pedido?", PLAIN.transcript)
    deltas = call.all(f"{name}.delta")
    assert "".join(e["delta"] for e in deltas[:-1]) == told
    assert [prompt.language for prompt in call.voice.prompts] == ["es", ""]


def test_whisper_transcribes_in_one_piece_and_bills_by_duration() -> None:
    call = Driven(
        session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    ).open()
    call.conversation.expect("one two three four five")
    call.say(1.0)
    call.wait_until_quiet()
    name = "conversation.item.input_audio_transcription"
    assert len(call.all(f"{name}.delta")) == 1
    usage = call.one(f"{name}.completed")["usage"]
    assert usage["type"] == "duration"
    assert usage["seconds"] == pytest.approx(1.0, abs=0.31)


def test_without_a_transcription_setting_nothing_is_transcribed() -> None:
    call = Driven().open()
    call.say()
    call.wait_until_quiet()
    assert not [name for name in call.types() if "transcription" in name]


def test_audio_that_was_sent_can_be_truncated_at_once() -> None:
    """An interrupting client knows what it got, not how fast it is made."""
    call = Driven(transport="websocket").open()
    call.say()
    while not call.all("response.output_audio.delta"):
        call.wait(0.01)
    delta = call.one("response.output_audio.delta")
    sent_ms = len(base64.b64decode(delta["delta"])) // 48
    call.send("conversation.item.truncate", item_id=delta["item_id"], content_index=0, audio_end_ms=sent_ms)
    assert call.errors == []
    assert call.one("conversation.item.truncated")["audio_end_ms"] == sent_ms


def test_over_a_websocket_the_audio_travels_in_events() -> None:
    call = Driven(transport="websocket").open()
    call.say()
    call.wait_until_quiet()
    audio = b"".join(base64.b64decode(e["delta"]) for e in call.all("response.output_audio.delta"))
    assert len(audio) == REPLY_MS * 48
    assert not [name for name in call.types() if name.startswith("output_audio_buffer")]
    assert not [output for output in call.outputs if isinstance(output, Play)]


@pytest.mark.parametrize("format_type", ["audio/pcmu", "audio/pcma"])
def test_g711_is_8000_bytes_a_second(format_type: str) -> None:
    output = {"output": {"format": {"type": format_type}}}
    call = Driven(transport="websocket", session={"type": "realtime", "audio": output}).open()
    call.say()
    call.wait_until_quiet()
    audio = b"".join(base64.b64decode(e["delta"]) for e in call.all("response.output_audio.delta"))
    assert len(audio) == REPLY_MS * 8


def test_a_reply_without_words_is_still_heard() -> None:
    call = Driven(voice=SilentVoice(transcript="")).open()
    call.say()
    call.wait_until_quiet()
    assert not call.all("response.output_audio_transcript.delta")
    assert call.one("output_audio_buffer.started")


def test_a_diarized_transcript_says_who_spoke_when() -> None:
    audio = {"input": {"transcription": {"model": "gpt-4o-transcribe-diarize"}}}
    call = Driven(session={"type": "realtime", "audio": audio}).open()
    call.say(2.0)
    call.wait_until_quiet()
    segment = call.one("conversation.item.input_audio_transcription.segment")
    assert (segment["speaker"], segment["start"]) == ("A", 0.0)
    assert segment["end"] == pytest.approx(2.0, abs=0.31)
