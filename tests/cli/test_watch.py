"""`harness watch`: what is told to whom, when; what a look leaves; and that nothing ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from harness.call.conduct import CallRecord
from harness.cli.examining import Examined
from harness.cli.watching import watch
from harness.cli.watching.looking import Look, look_of, network_of
from harness.cli.watching.memory import GOOD, Memory, Standing, is_quiet, pace
from harness.cli.watching.showing import WatchPages
from harness.cli.watching.watch import MOST_CHANGES, WatchedRelay, Ways, remembered, spoken_to_as
from harness.config.run import run_settings
from harness.core.clock import ManualClock, unix_time
from harness.core.dialects import DIALECTS, Dialect
from harness.core.errors import HarnessError, UsageError
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.run import smoke as smoke_call
from harness.run.model import Run, RunVerdict
from tests.cli.conftest import RunCommand

URL = "http://relay.example/offer"
HTML_PAGE = ("signaling.answer-is-sdp: html-page",)
NO_KEY = ("signaling.offer-accepted: upstream-key",)
UNREACHABLE = "refused: [Errno 111] Connection refused"


def seen(
    causes: tuple[str, ...] = (), *, cost: float = 0.0, verdict: str = "", at: int | None = None
) -> Look:
    """A look as it is remembered."""
    word = RunVerdict(verdict or ("violating" if causes else "conforming"))
    when = unix_time() if at is None else at
    return Look(at=when, verdict=word, causes=causes, why="because" if causes else "", cost_usd=cost)


BLIND = seen(verdict="inconclusive")


@dataclass
class Watched:
    """A watch whose looks are given; an Exception among them is raised by the look."""

    folder: Path
    looks: list[Look | Exception]
    monkeypatch: pytest.MonkeyPatch
    minutes: list[int] = field(default_factory=lambda: [12 * 60])
    lines: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # of the next alerts
    after: int = 1
    budget: float | None = None
    ways: Ways = field(default_factory=lambda: Ways(command=("true",)))

    def run(self) -> int:
        """All of its looks, a minute apart."""
        clock, given = ManualClock(), iter(self.looks)
        found: list[Look] = []

        async def look(_settings: object) -> tuple[Run, None]:
            each = next(given)
            if isinstance(each, Exception):
                raise each
            found.append(each)
            return run_of(RunVerdict.INCONCLUSIVE), None

        async def command(_command: object, told: dict[str, Any]) -> str:
            problem = self.problems.pop(0) if self.problems else ""
            if not problem:
                self.told.append(told)
            return problem

        async def wait(seconds: float) -> None:
            clock.advance(seconds)

        def minute() -> int:
            return self.minutes[0] if len(self.minutes) == 1 else self.minutes.pop(0)

        self.monkeypatch.setattr(watch, "run_command", command)
        self.monkeypatch.setattr(watch, "look_of", lambda _run, has_network: found[-1])
        settings = run_settings(target=URL, reports=self.folder)
        memory = remembered(self.folder / watch.MEMORY, URL, self.lines.append)
        relay = WatchedRelay(
            settings,
            self.ways,
            memory,
            60,
            self.after,
            self.budget,
            self.lines.append,
            look=look,
            clock=clock,
            minute=minute,
            wait=wait,
        )
        self.folder.mkdir(exist_ok=True)
        return asyncio.run(relay.watch(len(self.looks)))

    @property
    def texts(self) -> list[str]:
        """The verdicts that were told, in order."""
        return [f"{each['verdict']} {' '.join(each['causes'])}".strip() for each in self.told]


def run_of(verdict: RunVerdict) -> Run:
    unreachable = UNREACHABLE if verdict is RunVerdict.UNREACHABLE else ""
    return Run(URL, "json", "black-box", 1, "", calls=(), verdicts=(), unreachable=unreachable)


Watching = Callable[..., Watched]


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watching:
    return lambda *looks, **options: Watched(tmp_path / "watch", list(looks), monkeypatch, **options)


BAD, OTHER = seen(HTML_PAGE), seen(NO_KEY)
VIOLATING, NOT_THE_SAME = f"violating {HTML_PAGE[0]}", f"violating {NO_KEY[0]}"


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ((seen(), seen(), seen()), []),
        ((seen(), BAD, BAD, BAD), [VIOLATING]),
        ((BAD, BAD, OTHER, OTHER, seen(), seen()), [VIOLATING, NOT_THE_SAME, "conforming"]),
        # What could not tell is no news, and ends nothing; three of them in a row are.
        ((seen(), BLIND, seen(), BLIND), []),
        ((BAD, BLIND, BAD), [VIOLATING]),
        ((seen(), BLIND, BLIND, BLIND, BLIND, seen()), ["inconclusive", "conforming"]),
        # A look that broke is one of those.
        ((seen(), HarnessError("ours"), RuntimeError("ours too"), UsageError("no room")), ["inconclusive"]),
    ],
)
def test_an_alert_is_for_a_cause_that_changed_and_not_for_each_failure(
    watching: Watching, looks: tuple[Look | Exception, ...], told: list[str]
) -> None:
    watched = watching(*looks)
    watched.run()
    assert watched.texts == told
    assert [line for line in watched.lines if "ALERT" in line][:1] == [
        line for line in watched.lines if "ALERT" in line
    ][: len(told[:1])]


def test_with_after_a_blip_is_not_told(watching: Watching) -> None:
    watched = watching(seen(), BAD, seen(), BAD, BAD, seen(), BAD, after=2)
    watched.run()
    assert watched.texts == [VIOLATING]


def test_an_alert_that_could_not_be_sent_is_sent_later_and_only_on_that_way(watching: Watching) -> None:
    watched = watching(seen(), BAD, BAD, BAD, problems=["no network", "no network"])
    watched.run()
    assert watched.texts == [VIOLATING]
    assert watched.lines.count("no network") == 2
    assert sum("ALERT" in line for line in watched.lines) == 1


def test_quiet_hours_hold_back_what_then_is_told_once_or_was_over_by_then(watching: Watching) -> None:
    ways = Ways(command=("true",), quiet=((22 * 60, 7 * 60),))
    night, morning = [2 * 60], 7 * 60
    watched = watching(seen(), BAD, BAD, ways=ways, minutes=night * 4 + [morning])
    watched.run()
    assert watched.texts == [VIOLATING]
    over = watching(BAD, OTHER, seen(), ways=ways, minutes=night * 4 + [morning])
    over.folder = over.folder.with_name("over")
    over.run()
    assert over.texts == []


def test_started_again_it_goes_on_with_what_it_knew(watching: Watching) -> None:
    first = watching(BAD, budget=1.0)
    first.run()
    again = watching(seen(HTML_PAGE, cost=0.9), budget=1.0)
    again.run()
    assert (first.texts, again.texts) == ([VIOLATING], [])
    # What was spent counts on, too: no look is made, and that is told.
    third = watching(seen(), budget=1.0)
    assert third.run() == 4
    assert third.texts == ["paused"]
    assert "0.9000 of 1 USD are spent" in third.told[0]["why"]
    (third.folder / watch.MEMORY).write_text("{")
    fourth = watching(BAD)
    fourth.run()
    assert fourth.texts == [VIOLATING]
    assert "begins anew" in fourth.lines[0]


def test_alert_exit_ends_it_with_the_status_of_what_was_found(watching: Watching) -> None:
    watched = watching(seen(), BAD, BAD, BAD, ways=Ways(exits=True))
    assert watched.run() == 1
    assert sum("violating" in line for line in watched.lines if "ALERT" not in line) == 1


def test_the_reports_of_the_last_changes_are_kept(watching: Watching) -> None:
    looks = [each for n in range(MOST_CHANGES + 3) for each in (seen((f"a.b: c{n}",), at=1000 * n),)]
    watched = watching(*looks)
    watched.run()
    kept = sorted(path.name for path in (watched.folder / watch.CHANGES).iterdir())
    assert len(kept) == MOST_CHANGES
    assert kept[0] == "1970-01-01T005000Z"


def test_only_the_first_look_may_refuse_what_was_asked(watching: Watching) -> None:
    with pytest.raises(UsageError, match="there is no"):
        watching(UsageError("there is no such thing")).run()


def test_what_a_search_found_is_not_searched_again() -> None:
    record = CallRecord(smoke_call.smoke, Timeline(), np.zeros(0, dtype=np.int16))
    named = spoken_to_as(run_settings(target=URL), Examined(record, DIALECTS["sdp"], was_found=True))
    assert (named.the_target.dialect, named.dialect_given) == ("sdp", True)
    described = Dialect("sdp", offer="data.offer", answer="data.answer")
    own = spoken_to_as(run_settings(target=URL), Examined(record, described))
    assert own.the_target.wrapping == described
    given = run_settings(target=URL, dialect="json")
    assert spoken_to_as(given, Examined(record, described)) is given


def test_without_a_network_nothing_is_said_of_the_relay() -> None:
    run = run_of(RunVerdict.UNREACHABLE)
    assert look_of(run, has_network=lambda: True).causes == ("refused",)
    blind = look_of(run, has_network=lambda: False)
    assert (blind.verdict, blind.causes) == (RunVerdict.INCONCLUSIVE, ())
    assert "no network" in blind.why


def test_the_network_is_asked_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_route(_family: object, _address: str) -> bool:
        return False

    monkeypatch.setattr("harness.cli.watching.looking._has_route", no_route)
    assert (network_of("127.0.0.1")(), network_of("relay.example")()) == (True, False)


def test_quiet_spans_go_over_midnight() -> None:
    night = ((22 * 60, 7 * 60),)
    assert [is_quiet(60 * hour, night) for hour in (21, 22, 0, 6, 7)] == [False, True, True, True, False]
    assert is_quiet(13 * 60, ((12 * 60, 14 * 60), *night))
    assert not is_quiet(0, ())


def test_the_budget_is_that_of_any_24_hours() -> None:
    memory = Memory(target=URL)
    memory.add(seen(cost=0.4, at=0))
    memory.add(seen(cost=0.4, at=50_000))
    assert memory.refusal(1.21, 50_000) == ""
    assert "0.8000 of 1.1 USD" in memory.refusal(1.1, 50_000)
    assert memory.refusal(1.1, 86_400) == ""
    assert memory.refusal(None, 0) == ""
    assert "--every 524m would keep it" in pace(memory, 300, 1.1)
    assert pace(memory, 60_000, 1.1) == ""


def test_page_metrics_and_health_show_what_holds_and_how_old_it_is() -> None:
    memory = Memory(target=URL)
    hostile = '<script>x</script>"\n\x1b]'
    memory.add(Look(at=1000, verdict=RunVerdict.VIOLATING, causes=(hostile,), why=hostile, cost_usd=0.25))
    now = [1042]
    shown = WatchPages(memory, 300, 2.0, now=lambda: now[0])

    async def asked(path: str) -> httpx.Response:
        transport = httpx.ASGITransport(shown.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get(path)

    metrics = asyncio.run(asked("/metrics"))
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = metrics.text.splitlines()
    assert "harness_watch_last_look_age_seconds 42" in lines
    assert 'harness_watch_last_verdict{verdict="violating"} 1' in lines
    assert 'harness_watch_looks_total{verdict="violating"} 1' in lines
    assert "harness_watch_spent_usd 0.25" in lines
    assert "harness_watch_budget_usd 2" in lines
    (cause,) = (line for line in lines if line.startswith("harness_watch_cause{"))
    assert '\\"' in cause
    assert "\x1b" not in metrics.text
    page = asyncio.run(asked("/")).text
    assert "<script>x" not in page
    assert "Violating" in page
    assert "last look 42 s ago" in page
    assert asyncio.run(asked("/health")).status_code == 200
    now[0] += 3 * 300 + 60
    late = asyncio.run(asked("/health"))
    assert (late.status_code, late.text) == (503, "the last look is 1002 s old\n")


def test_what_holds_at_first_is_that_all_is_well() -> None:
    memory = Memory(target=URL)
    assert memory.due(["line"]) == []
    assert str(Standing("violating", HTML_PAGE)) == f"violating ({HTML_PAGE[0]})"
    assert memory.holds == GOOD
    assert "No look yet" in WatchPages(memory, 300, None).page()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "there is no relay to watch"),
        ((URL, "--every=5s"), "--every: '5s' is too short (give 10s or more)"),
        ((URL, "--quiet=22-7"), "--quiet: '22-7' is no span of the day"),
        ((URL, "--quiet=24:00-07:00"), "--quiet: '24:00-07:00' is no span"),
        ((URL, "--webhook=hooks.example/T0/secret"), "--webhook: what was given is no URL to post to"),
        ((URL, "--alert-command=no-such-program-here x"), "there is no program 'no-such-program-here'"),
        ((URL, "--alert-command='x"), "cannot be split into words"),
        ((URL, "--listen=9464"), "--listen: '9464' is not HOST:PORT"),
    ],
)
def test_bad_input_is_one_line(
    arguments: tuple[str, ...],
    says: str,
    run_command: RunCommand,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command("watch", *arguments) == 2
    heard = capsys.readouterr()
    assert says in heard.err
    assert heard.err.count("\n") == 1
    assert "secret" not in heard.err
    assert list(tmp_path.iterdir()) == []


def test_a_real_look_at_a_relay_and_at_one_that_is_gone(
    run_command: RunCommand, tmp_path: Path, closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    lenient = ("--limit=lateness_max_ms=5000", "--limit=lateness_p99_ms=5000", "--listen=127.0.0.1:0")
    common = ("--looks=1", f"--reports={tmp_path}", *lenient)
    with EmbeddedPair(EmbeddedOptions()) as pair:
        code = run_command("watch", pair.offer_url, f"--fake-openai={pair.fake}", *common)
    said = capsys.readouterr().out
    assert code == 0, said
    assert said.splitlines()[1].endswith("UTC  conforming")
    assert json.loads((tmp_path / "last" / "results.json").read_text())["verdict"] == "conforming"
    kept = json.loads((tmp_path / watch.MEMORY).read_text())
    assert kept["made"] == {"conforming": 1}
    assert kept["looks"][0]["seconds"]["first-audio"] > 0
    gone = run_command("watch", f"http://127.0.0.1:{closed_port}/session", *common)
    assert gone == 3
    assert "is unreachable (refused)" in capsys.readouterr().out
