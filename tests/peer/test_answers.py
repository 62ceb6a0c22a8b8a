"""Our word on an answer against a browser's: as it was recorded for thousands, and of a sample anew."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from harness.browser.chromium import chromium
from harness.core.sdp import parse_sdp
from harness.peer.answers import check_answer, refusal
from tests.peer.answers import mutated
from tests.peer.answers.browser import refusals
from tests.support.programs import needs_program
from tools.answers import FOUND, MAIN, differing, explanation, fingerprint

SAMPLE = 60
PART = 3  # of so many answers one is looked at: the tool looked at all


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(FOUND.read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("base", ["fake", "aiortc", "libwebrtc"])
def test_we_refuse_what_chromium_was_recorded_to_refuse_and_no_more(found: dict[str, Any], base: str) -> None:
    """The verdicts are of the answers that the rules make; we differ as docs/answers.md explains."""
    made = mutated(found["bases"][base])
    verdicts = found["pages"][MAIN][base]
    assert {group: fingerprint(answers) for group, answers in made.items()} == {
        group: verdict["of"] for group, verdict in verdicts.items()
    }, "the rules have changed: run `python -m tools.answers`"
    part = {g: dict(list(answers.items())[::PART]) for g, answers in made.items()}
    taken = {group: {"taken": verdict["taken"][::PART]} for group, verdict in verdicts.items()}
    differ = list(differing(taken, part, found["offer"]))
    listed = {(group, name, how) for group, name, how, by in found["differing"][MAIN] if by == base}
    assert set(differ) <= listed
    assert [each for each in differ if not explanation(made[each[0]][each[1]], each[2])] == []


def test_of_all_answers_we_agree_about_99_in_100(found: dict[str, Any]) -> None:
    number = sum(len(v["taken"]) for verdicts in found["pages"][MAIN].values() for v in verdicts.values())
    assert number >= 500
    assert len(found["differing"][MAIN]) <= 0.01 * number


def test_a_check_that_took_everything_would_not_agree(found: dict[str, Any]) -> None:
    made = {"cut off": mutated(found["bases"]["fake"])["cut off"]}
    taken = {"cut off": {"taken": "1" * len(made["cut off"])}}
    assert len(list(differing(taken, made, found["offer"]))) > 300


@pytest.mark.timeout(120)
def test_the_browser_that_is_here_says_the_same_of_a_sample(found: dict[str, Any]) -> None:
    needs_program("chromium")
    made = mutated(found["bases"]["fake"])
    verdicts = found["pages"][MAIN]["fake"]
    every = [
        (f"{group}: {name}", answer, taken)
        for group, answers in made.items()
        for (name, answer), taken in zip(answers.items(), verdicts[group]["taken"], strict=True)
    ]
    sample = random.Random(15).sample(every, SAMPLE)

    async def ask() -> list[str]:
        async with chromium() as browser:
            return await refusals(browser, [answer for _, answer, _ in sample], MAIN)

    said = asyncio.run(ask())
    other = [
        f"{name}: {reason or 'taken'}"
        for (name, _, taken), reason in zip(sample, said, strict=True)
        if bool(reason) == (taken == "1")
    ]
    assert other == []


def test_why_is_said_with_the_line_or_the_clause(found: dict[str, Any]) -> None:
    offer, answer = parse_sdp(found["offer"]), found["bases"]["fake"]

    def why(before: str, after: str) -> str:
        assert before in answer
        return refusal(parse_sdp(answer.replace(before, after)), offer)

    check_answer(parse_sdp(answer), offer)
    assert why("a=rtcp-mux\r\n", "") == (
        "the audio section is bundled, and has no a=rtcp-mux (RFC 9143, section 9.3)"
    )
    assert why("m=audio", "\r\nm=audio") == "a browser cannot read line 10, '': it is no SDP line"
    assert "a=setup:x" in why("a=setup:active", "a=setup:x")
    assert why(answer[-20:], answer[-20:-2]).endswith("the last line has no end")
    assert "does not begin with v=0" in why("v=0", "v=1")
