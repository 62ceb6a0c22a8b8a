from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.errors import UsageError
from harness.core.events import CallWithheld, UtteranceStarted
from harness.report.html import FILE, as_html, calls, write_html
from harness.report.html.words import duration, number, ticked
from tests.report.html.runs import clips, entry, run_of, tone
from tests.support.timelines import call_started, healthy_events


def test_an_empty_run_is_a_page() -> None:
    page = as_html(run_of(), clips())
    assert "No verdict" in page
    assert "Nothing was measured." in page


def test_an_unreachable_target_is_said_where_the_findings_would_be() -> None:
    page = as_html(replace(run_of(), unreachable="refused"), clips())
    assert "Nothing answered, so nothing was judged: refused" in page


def test_the_page_says_its_policy_and_holds_no_style_and_no_handler_that_it_forbids() -> None:
    page = as_html(run_of(entry(audio=tone(5.0))), clips())
    assert "default-src 'none'" in page
    assert not re.search(
        r"\sstyle=|\son\w+=", re.sub(r"<script>.*</script>|base64,[^\"]*", "", page, flags=re.S)
    )
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", re.sub(r"<a [^>]*>", "", page))


def test_a_call_that_was_not_placed_says_why() -> None:
    page = as_html(
        run_of(entry([call_started(), CallWithheld(at=0.0, reason="the budget is spent")])), clips()
    )
    assert "not placed: the budget is spent" in page


def test_what_is_no_text_at_all_is_written_as_well(tmp_path: Path) -> None:
    odd = UtteranceStarted(at=1.0, clip="x", duration_ms=5, speech=(), transcript="\ud800 \x00 \u2028")
    write_html(run_of(entry([*healthy_events(), odd])), tmp_path, clips())
    assert (tmp_path / FILE).read_text(encoding="utf-8").count("</html>") == 1


def test_a_folder_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="the report cannot be written"):
        write_html(run_of(), tmp_path / "file", clips())


def test_sound_goes_to_calls_with_findings_first_and_the_others_say_where_theirs_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    well = entry(call="001-well", audio=tone(6.0))
    no_reply = [e for e in healthy_events() if not isinstance(e, type(healthy_events()[-1]))]
    broken = entry(
        [e for e in no_reply if getattr(e, "type", "") != "response.done"], "002-broken", audio=tone(6.0)
    )
    one = len(calls.calls(run_of(well), clips())[0].sound)
    monkeypatch.setattr(calls, "SOUND_BUDGET", int(1.5 * one))
    first, second = calls.calls(run_of(well, broken), clips())
    assert second.findings
    assert second.sound
    assert not first.sound
    assert "calls/001-well/received.wav" in first.silent_because


def test_numbers_are_written_for_people() -> None:
    assert [duration(s) for s in (0.0001, 0.0304, 1.1359, 12.34)] == ["< 1 ms", "30 ms", "1,136 ms", "12.3 s"]
    assert [number(v) for v in (None, 0.30512, 16.81, 1136.2)] == ["–", "0.305", "16.8", "1,136"]


def test_backticks_are_code_and_everything_is_escaped() -> None:
    assert ticked("send `<CR>` & go") == "send <code>&lt;CR&gt;</code> &amp; go"
