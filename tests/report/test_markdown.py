from __future__ import annotations

from harness.report.markdown import paragraphs, text
from harness.requirements.model import Alternative, Evidence, Level, Outcome, Verdict


def verdict(**more: object) -> Verdict:
    return Verdict("audio.comes-back", Level.MUST, Outcome.FAILED, **{"cause": "deaf", **more})  # type: ignore[arg-type]  # values of any field


def test_what_a_target_says_stays_text() -> None:
    hostile = "</details><img src=x> [a](javascript:1) | *b* `c` https://evil.example\n\n# d \x1b[2J"
    shown = text(hostile)
    assert "\n" not in shown
    assert "\x1b" not in shown
    for raw in ("<img", "[a]", " | ", " *b* ", " `c` ", "https:"):
        assert raw not in shown


def test_each_sentence_is_a_paragraph_and_what_was_seen_a_list() -> None:
    found = verdict(
        explanation="nothing came",
        fix="send audio",
        evidence=(Evidence(1.0, "one"), Evidence(2.0, "two")),
        alternatives=(Alternative("muted", "it may be", "unmute"),),
    )
    blocks = paragraphs(found, "The reply must be heard").split("\n\n")
    assert blocks[0] == "**Rule:** The reply must be heard (MUST)"
    assert blocks[1] == "**Why:** nothing came"
    assert blocks[2] == "**Seen:**"
    assert blocks[3].count("\n- ") == 1
    assert blocks[4:] == ["**Fix:** send audio", "**Or, if it is muted:** unmute"]
    assert paragraphs(verdict(explanation="why")) == "**Why:** why"
