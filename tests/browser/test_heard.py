import numpy as np

from harness.browser.heard import RATE, PageAudio
from harness.core.events import Event, StatsTaken, StretchHeard


def tone(seconds: float) -> np.ndarray:
    return (8000 * np.sin(np.arange(round(seconds * RATE)) / 10)).astype(np.int16)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.int16)


def test_what_is_heard_becomes_stretches_with_the_counters_of_the_browser() -> None:
    told: list[Event] = []
    audio = PageAudio(told.append)
    at = 1.0
    for number, piece in enumerate([silence(0.5), tone(1.0), silence(0.2), tone(0.3), silence(1.0)]):
        for start in range(0, piece.size, RATE // 10):
            part = piece[start : start + RATE // 10]
            audio.piece(at, part)
            at += part.size / RATE
        audio.stats(StatsTaken(at=at, received=50 * (number + 1), lost=number, jitter_ms=2.0))
    audio.flush()
    stretches = [e for e in told if isinstance(e, StretchHeard)]
    assert [s.audible for s in stretches] == [False, True, False]
    assert [round(s.at, 2) for s in stretches] == [1.0, 1.5, 3.0]
    assert round(stretches[1].until, 2) == 3.0, "a pause of 200 ms belongs to the speech"
    assert stretches[1].lost == 3
    assert all(s.packets for s in stretches)
    assert round(audio.last_audible, 2) == 3.0


def test_pieces_that_are_told_late_follow_each_other_without_a_gap() -> None:
    audio = PageAudio(lambda _event: None)
    for number in range(10):
        audio.piece(1.0 + 0.1 * number + (0.05 if number % 2 else 0.0), tone(0.1))
    samples = audio.samples()
    assert samples.size == 2 * RATE
    assert np.count_nonzero(samples[: RATE - 1]) == 0
    assert np.count_nonzero(samples[RATE:]) > 0.99 * RATE


def test_a_stream_that_pauses_begins_anew() -> None:
    told: list[Event] = []
    audio = PageAudio(told.append)
    audio.piece(1.0, tone(0.1))
    audio.piece(5.0, tone(0.1))
    assert audio.samples().size == round(5.1 * RATE)
    audio.flush()
    assert round(audio.last_audible, 2) == 5.1


def test_nothing_heard_is_no_stretch() -> None:
    told: list[Event] = []
    audio = PageAudio(told.append)
    audio.flush()
    assert told == []
    assert audio.samples().size == 0
    assert audio.last_audible == float("-inf")
