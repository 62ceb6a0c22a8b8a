from __future__ import annotations

import numpy as np
import pytest

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.errors import UsageError
from harness.fakes.openai.speaking.replies import SpokenReply
from harness.fakes.openai.speaking.voices import (
    HeardSpeech,
    Prompt,
    RecordedVoice,
    mark_reply,
    voice_named,
)
from harness.speech import generate, opus
from harness.speech.library import load_library
from harness.speech.marks import call_mark, read_mark

LIBRARY = load_library()


def test_a_recorded_voice_answers_in_the_callers_language() -> None:
    voice = RecordedVoice(LIBRARY)
    for language in ("es", "en"):
        names = [voice.reply(Prompt(ordinal=i, language=language)).name for i in range(4)]
        assert {LIBRARY.clip(name).language for name in names} == {language}
        assert {LIBRARY.clip(name).role for name in names} == {"assistant"}
        assert len(set(names)) == 2


def test_a_recorded_reply_is_the_clip_and_shares_its_packets() -> None:
    clip = LIBRARY.clip("es-f-reply-order")
    reply = voice_named("recorded:es-f-reply-order", LIBRARY).reply(Prompt(language="en"))
    assert (reply.name, reply.transcript, reply.duration_ms) == (clip.name, clip.transcript, clip.duration_ms)
    assert reply.packets is clip.packets
    assert reply.samples is clip.samples


@pytest.mark.parametrize("spec", ["recorded:nobody", "ecko", "mark:1"])
def test_an_unknown_voice_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        voice_named(spec, LIBRARY)


def test_an_echo_says_back_the_packets_that_came() -> None:
    asked: list[tuple[int, int]] = []

    def recorder(start: int, end: int) -> HeardSpeech:
        asked.append((start, end))
        return HeardSpeech(lambda: generate.silence(end - start), lambda: (b"one", b"two"))

    prompt = Prompt(transcript="Hola.", utterance=(400, 440), recorder=recorder)
    reply = voice_named("echo", LIBRARY).reply(prompt)
    assert (asked, reply.packets) == ([(400, 440)], (b"one", b"two"))
    assert (reply.transcript, reply.duration_ms, len(reply.samples)) == ("Hola.", 40, 40 * RATE // 1000)


def test_an_echo_of_nothing_is_the_calls_mark() -> None:
    assert voice_named("echo", LIBRARY).reply(Prompt(call_name="abcd")) is mark_reply("abcd")


def test_a_marked_tone_tells_which_call_it_is() -> None:
    reply = voice_named("mark", LIBRARY).reply(Prompt(call_name="abcd"))
    decoder = opus.Decoder()
    heard: Samples = np.concatenate([decoder.decode(packet) for packet in reply.packets])
    assert read_mark(heard) == call_mark("abcd")
    assert len(reply.packets) * 20 == reply.duration_ms


def test_marks_tell_most_calls_apart() -> None:
    marks = {call_mark(f"ufrag{i}") for i in range(100)}
    assert len(marks) > 70


def test_a_reply_is_cut_in_samples_and_packets_alike() -> None:
    reply = RecordedVoice(LIBRARY).reply(Prompt())
    cut = reply.cut(1010)
    assert cut.duration_ms == 1010
    assert len(cut.samples) == 1010 * RATE // 1000
    assert cut.packets == reply.packets[:51]
    assert reply.cut(10**9) is reply
    assert reply.cut(-5).packets == ()


def test_a_reply_encodes_its_audio_once_and_only_when_asked() -> None:
    made: list[int] = []

    def make() -> Samples:
        made.append(1)
        return generate.silence(100)

    reply = SpokenReply("x", "", 100, make)
    assert made == []
    assert len(reply.packets) == 5
    assert len(reply.wire("audio/pcm")) == 4800
    assert reply.packets is reply.packets
    assert made == [1]
