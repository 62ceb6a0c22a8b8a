"""What careless code makes of SDP is recognised by its look, in an answer and in an offer."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from harness.requirements import REGISTRY, Outcome, judge
from harness.requirements.signaling.mangled import what_was_made_of_it
from tests.requirements.signaling_building import Events, answered, body_returned, forwarded
from tests.support.timelines import ANSWER, OFFER, timeline_of

MADE = {
    "\ufeff" + ANSWER: "byte-order mark",
    "Answer received:\n" + ANSWER: "begins only behind 17 other characters",
    "\r\n" + ANSWER: "begins only behind 2 other characters",
    "\r\n".join("  " + line for line in ANSWER.split("\r\n")): "begins only behind 2 other characters",
    "--b\r\n\r\n" + ANSWER + "\r\n--b--\r\n": "begins only behind 7 other characters",
    ANSWER.replace("\r\n", "\\r\\n"): "line ends are written out",
    ANSWER.replace("\r\n", "\\n"): "line ends are written out",
    "".join(f"data: {line}\n" for line in ANSWER.splitlines()): "server-sent events",
    repr(ANSWER): "line ends are written out",
    repr(ANSWER.encode()): "line ends are written out",
    quote(ANSWER): "URL-encoded",
    "sdp=" + quote(ANSWER, safe=""): "URL-encoded",
    ",".join(map(str, ANSWER.encode())): "bytes as numbers",
    str(list(ANSWER.encode())): "bytes as numbers",
    base64.b64encode(ANSWER.encode()).decode(): "Base64",
    gzip.compress(ANSWER.encode(), mtime=0).decode("utf-8", "replace"): "compressed",
    ANSWER.replace("\r\n", " "): "line ends are gone",
    ANSWER.replace("\r\n", ""): "line ends are gone",
    ANSWER.upper(): "letters were changed",
    "[object Promise]": "prints for an object",
    "<coroutine object AsyncClient.post at 0x7f21>": "prints for an object",
    "<Response [201 Created]>": "prints for an object",
    "<aiohttp.streams.StreamReader object at 0x7f21>": "prints for an object",
    "#<Net::HTTPCreated:0x00007f>": "prints for an object",
    "java.net.http.HttpResponse@1b2c6f": "prints for an object",
    "undefined": "prints for nothing",
    "None\n": "prints for nothing",
    "The model is busy.": "",
    "<html><body>no</body></html>": "",
    "": "",
}


@pytest.mark.parametrize(("text", "words"), MADE.items(), ids=lambda value: repr(value)[:24])
def test_it_is_recognised(text: str, words: str) -> None:
    said = what_was_made_of_it(text)
    assert words in said
    assert bool(said) == bool(words)


def found(events: Events) -> dict[str, str]:
    """What fails, as `id: cause`, with why."""
    verdicts = judge([timeline_of(events)], REGISTRY)
    return {f"{v.id}: {v.cause}": v.explanation for v in verdicts if v.outcome == Outcome.FAILED}


def test_an_answer_is_told_by_its_look() -> None:
    why = found(body_returned(quote(ANSWER), "application/sdp"))["signaling.answer-is-sdp: not-sdp"]
    assert "URL-encoded" in why


@pytest.mark.parametrize(
    ("made", "cause", "words"),
    [
        (repr, "offer-mutated", "line ends are written out"),
        (lambda offer: offer[:300], "offer-truncated", "300 of"),
        (lambda offer: offer.replace("\r\n", "\r\r\n"), "offer-line-endings", "CR CR LF upstream"),
        (lambda offer: offer + "\r\n", "offer-mutated", "2 characters of white space were added"),
    ],
)
def test_an_offer_is_told_by_its_look(made: Callable[[str], str], cause: str, words: str) -> None:
    why = found(forwarded(made))[f"signaling.offer-forwarded-intact: {cause}"]
    assert words in why


def test_a_line_of_the_relays_own_behind_the_answer_is_no_stray_text() -> None:
    own = "a=candidate:9 1 udp 1 127.0.0.1 9 typ host\r\n"
    said = found(answered(ANSWER + own, upstream=ANSWER))
    assert not [each for each in said if each.startswith("signaling.answer-is-sdp")]
    assert re.search("answer-mutated", " ".join(said))


def test_a_last_line_that_is_none_is_not_taken_for_one_without_its_end() -> None:
    """Where the upstream's own answer is like it."""
    said = found(answered(ANSWER + "OK"))
    assert "signaling.answer-line-endings: no-final-newline" not in said
    assert "'OK': it is no SDP line" in said["signaling.answer-readable: line-unreadable"]


def test_an_offer_of_half_its_length_is_not_one_without_a_data_section() -> None:
    assert "m=application" in OFFER[len(OFFER) // 2 :]
    assert next(iter(found(forwarded(lambda offer: offer[: len(offer) // 2])))).endswith("offer-truncated")
