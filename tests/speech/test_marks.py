import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.speech import generate, marks, opus
from harness.speech.library import Library, own_fixtures


@settings(max_examples=30, deadline=None)
@given(mark=st.integers(0, marks.MARKS - 1))
def test_a_mark_is_read_back_after_the_codec(mark: int) -> None:
    decoder = opus.Decoder()
    packets = opus.encode(marks.marked_tone(mark, 400))
    assert marks.read_mark(np.concatenate([decoder.decode(packet) for packet in packets])) == mark


@pytest.mark.parametrize("mark", [-1, marks.MARKS])
def test_a_mark_out_of_range_is_refused(mark: int) -> None:
    with pytest.raises(ValueError, match="marks are 0 to 255"):
        marks.marked_tone(mark, 100)


def test_speech_noise_and_other_tones_carry_no_mark() -> None:
    for clip in Library(own_fixtures()).values():
        assert marks.read_mark(clip.samples) is None, clip.name


def test_the_mark_heard_most_is_the_mark() -> None:
    heard = generate.joined(marks.marked_tone(7, 200), generate.silence(200), marks.marked_tone(200, 700))
    assert marks.read_mark(heard) == 200
    assert marks.read_mark(generate.silence(50)) is None
