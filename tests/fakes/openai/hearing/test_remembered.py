from __future__ import annotations

import numpy as np
import pytest

from harness.fakes.openai.hearing import remembered
from harness.fakes.openai.hearing.remembered import RememberingDecoder
from harness.speech.library import load_library
from harness.speech.opus import Decoder, OpusDecodingError


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_known", {})


def test_a_clip_sounds_as_from_any_decoder_and_the_second_call_decodes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packets = load_library().clip("en-f-order").packets
    plain, first, second = Decoder(), RememberingDecoder(), RememberingDecoder()
    expected = [plain.decode(packet) for packet in packets]
    assert all(np.array_equal(a, first.decode(p)) for a, p in zip(expected, packets, strict=True))
    monkeypatch.setattr(Decoder, "decode", None)
    assert all(np.array_equal(a, second.decode(p)) for a, p in zip(expected, packets, strict=True))


def test_what_was_not_heard_before_is_decoded_behind_what_was() -> None:
    known, new = (load_library().clip(name).packets for name in ("en-f-order", "en-f-rose"))
    decoder = RememberingDecoder()
    for packet in known:
        decoder.decode(packet)
    other = RememberingDecoder()
    samples = [other.decode(packet) for packet in (*known, *new)]
    assert np.abs(np.concatenate(samples[len(known) :])).max() > 1000


def test_a_broken_packet_is_told_each_time() -> None:
    decoder = RememberingDecoder()
    for _ in range(2):
        with pytest.raises(OpusDecodingError):
            decoder.decode(b"\xff")


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "PACKETS", 10)
    decoder = RememberingDecoder()
    for packet in load_library().clip("en-f-order").packets:
        decoder.decode(packet)
    assert len(remembered._known) <= 10
