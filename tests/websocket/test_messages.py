from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.websocket.messages import LONGEST_HELD, MOST_HELD, MessageReader, SocketMessage

ONE, TWO = {"type": "one", "text": "ä\n{}"}, {"type": "two", "deep": {"list": [1, 2]}}
TEXT = json.dumps(ONE)


def read(*messages: str | bytes) -> list[SocketMessage]:
    reader = MessageReader()
    found = [each for message in messages for each in reader.read(message)]
    return [*found, *reader.end()]


def test_one_message_is_one_event() -> None:
    assert read(TEXT) == [SocketMessage(ONE, TEXT, len(TEXT))]


def test_a_binary_message_is_read_and_told() -> None:
    (message,) = read(TEXT.encode())
    assert (message.event, message.problem) == (ONE, "binary")


@pytest.mark.parametrize("between", ["", "\n", " \r\n\t"])
def test_several_events_in_one_message_are_all_read(between: str) -> None:
    found = read(TEXT + between + json.dumps(TWO))
    assert [(m.event, m.problem) for m in found] == [(ONE, "several-events"), (TWO, "several-events")]


def test_an_event_in_pieces_is_read_when_it_is_whole() -> None:
    for cut in range(1, len(TEXT)):
        found = read(TEXT[:cut], TEXT[cut:])
        assert [(m.event, m.problem) for m in found] == [(ONE, "part-of-an-event")], TEXT[:cut]


def test_what_only_looked_like_a_beginning_does_not_swallow_what_follows() -> None:
    found = read('{"type": "broken', TEXT)
    assert [(m.event, m.text, m.problem) for m in found] == [
        (None, '{"type": "broken', None),
        (ONE, TEXT, None),
    ]


def test_a_piece_whose_rest_never_comes_is_told_at_the_end() -> None:
    assert [m.event for m in read(TEXT, TEXT[:5])] == [ONE, None]


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", "17", "{]", '{"a": NaN}', "\x00", "[" * 10_000])
def test_what_is_no_event_is_told_as_it_came(text: str) -> None:
    assert [(m.event, m.text) for m in read(text, TEXT) if m.event is None] == (
        [(None, text)] if text else []
    )
    assert read(text, TEXT)[-1].event == ONE


def test_an_event_that_never_ends_is_not_held_for_ever() -> None:
    endless = '{"a": "' + "x" * 100
    reader = MessageReader()
    found = [m for _ in range(MOST_HELD + 5) for m in reader.read(endless.replace("{", "{" if not _ else ""))]
    assert any(m.event is None for m in found)
    assert read('{"a": "' + "x" * (LONGEST_HELD + 1))[0].event is None


@given(st.lists(st.text() | st.binary(), max_size=6))
def test_nothing_that_comes_makes_it_fail(messages: list[str | bytes]) -> None:
    read(*messages, TEXT)


@given(st.integers(1, 40), st.integers(0, 3))
def test_events_cut_anywhere_come_out_whole(size: int, more: int) -> None:
    text = TEXT + json.dumps(TWO) * more
    found = read(*(text[at : at + size] for at in range(0, len(text), size)))
    assert [m.event for m in found if m.event is not None] == [ONE, *[TWO] * more]
