from __future__ import annotations

import json
import logging
import sys
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.errors import HarnessError
from harness.core.printable import make_logs_printable, printable
from harness.requirements.model import Evidence, Level, Outcome, Verdict

HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # of Unicode's general categories
FILLERS = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0"}


def test_every_character_that_does_not_show_is_escaped_and_no_other() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    escaped = {c for c in characters if unicodedata.category(c) != "Cn" and printable(c) != c}
    assert (
        escaped
        == {c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in HIDDEN} | FILLERS
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07", r"\u001b]0;title\u0007"),
        ("\x9b31m", r"\u009b31m"),
        ("a\rb\bc", r"a\u000db\u0008c"),
        ("\u202egpj\u200b", r"\u202egpj\u200b"),
        ("one\ntwo\tthree", r"one\ntwo\tthree"),
        ("\U000e0041", r"\udb40\udc41"),
        ("¿Qué tal? 你好 🙂", "¿Qué tal? 你好 🙂"),
    ],
)
def test_it_is_written_as_json_writes_it(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_stay_lines_where_they_are_ours() -> None:
    assert printable("one\n\ttwo\r\n", lines=True) == "one\n\ttwo\\u000d\n"


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_json_document_says_the_same(document: object) -> None:
    for indent in (None, 1):
        written = json.dumps(document, ensure_ascii=False, indent=indent)
        assert json.loads(printable(written, lines=True)) == document


def test_a_verdict_cannot_quote_what_does_not_show_nor_begin_a_line() -> None:
    verdict = Verdict(
        "a.b",
        Level.MUST,
        Outcome.FAILED,
        explanation="seen \x1b[2J\nconforming",
        evidence=(Evidence(1.0, "\x9b"),),
    )
    assert verdict.explanation == r"seen \u001b[2J\nconforming"
    assert str(verdict.evidence[0]) == r"1.000 s: \u009b"


def test_an_error_cannot_either() -> None:
    assert str(HarnessError("it said \x1b[2J", "try \x07")) == r"it said \u001b[2J (try \u0007)"


@pytest.fixture
def printable_logs() -> Iterator[None]:
    before = logging.getLogRecordFactory()
    make_logs_printable()
    yield
    logging.setLogRecordFactory(before)


def raise_from_outside() -> None:
    raise ValueError("raised \x1b[2J")


@pytest.mark.usefixtures("printable_logs")
def test_nor_can_a_log(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise_from_outside()
    except ValueError:
        logging.getLogger("harness").exception("logged %s", "\x1b]8;;\u202e")
    assert "\x1b" not in caplog.text
    assert r"logged \u001b]8;;\u202e" in caplog.text
    assert r"ValueError: raised \u001b[2J" in caplog.text
