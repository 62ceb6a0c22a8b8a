"""`harness page`: one ordinary call by your own web page, in a real browser; then what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import click

from harness.call import Caller, Scenario, scenario
from harness.call.conduct import CallRecord, Watch, make_call
from harness.call.context import CallContext
from harness.call.page_probes import PAGE_PROBES
from harness.cli.examining import Examined
from harness.cli.options import takes_options
from harness.cli.page_showing import ShowProbes, ShowProbesJson
from harness.cli.screen import say
from harness.cli.showing import Show, ShowJson, ShowLines, ShowLive
from harness.config.asking import settings_of
from harness.config.option import blaming
from harness.config.option_texts import read_options
from harness.config.run import RunSettings
from harness.config.targets_file import is_name
from harness.config.timeouts import Timeouts
from harness.core.errors import UsageError
from harness.core.events import ButtonPressed, CallEnded, HarnessFailed
from harness.core.exit_codes import UNREACHABLE, USAGE
from harness.core.probes import EVERY_PAGE_PROBE
from harness.core.timeline import Timeline
from harness.platform.loop import run_loop
from harness.report.files import CALLS, pictures, write_run
from harness.report.folder import claimed
from harness.report.html import write_html
from harness.requirements.registry import REGISTRY
from harness.run.engine import Planned, execute
from harness.run.model import EXIT_CODES, Run
from harness.speech.library import load_library

# A page that hangs is told within 20 s: its start and its end take some of them.
TIMEOUTS = Timeouts(answer=8.0, channel=8.5, created=3.0, turn=7.0, reply=12.0, hang_up=5.0)


@click.command()
@click.argument("url", metavar="URL|NAME")
@takes_options("page")
def page(url: str, **texts: Any) -> int:
    """Make one ordinary call with the web page at URL, in Chromium, and say what is wrong.

    With --probe NAME make the calls that each try one thing instead, with --probe all both.

    Exit status: 0 conforming, 1 violating, 2 usage, 3 unreachable, 4 inconclusive or the harness broke.
    """
    values = read_options("page", texts)
    if "://" not in url and not is_name(url):
        raise UsageError(f"{url!r} is no page's address", "give it with its scheme: http://localhost:3000")
    settings = replace(settings_of("page", values, target=url, caller="page"), timeouts=TIMEOUTS)
    if settings.page.url:  # the page is what is asked about, and what is shown
        page_url = urljoin(settings.the_target.url, settings.page.url)
        settings = replace(settings, target=replace(settings.the_target, url=page_url))
    if values["probes"]:
        return _probed(settings, values)
    show: Show = ShowJson() if values["as_json"] else ShowLive() if sys.stdout.isatty() else ShowLines()
    reports = settings.reports
    with claimed(reports):
        examined, run = run_loop(_examined(settings, values["say"], show), in_browser=True)
        written = _written(run, reports)
    if (code := _unusable(run, reports)) is None:
        show.outcome(examined, run, written)
    return EXIT_CODES[run.verdict] if code is None else code


def _probed(settings: RunSettings, values: Mapping[str, Any]) -> int:
    """The calls that each try one thing; the ordinary one before them where all are asked for."""
    names = list(dict.fromkeys(values["probes"]))
    planned = []
    if EVERY_PAGE_PROBE in names:
        names = list(PAGE_PROBES)
        planned = [Planned(page_call(values["say"]), tuple(REGISTRY))]
    probes = [PAGE_PROBES[name] for name in names]
    planned += [Planned(p, tuple(REGISTRY.select(ids=p.requirements, areas=p.areas))) for p in probes]
    show = ShowProbesJson() if values["as_json"] else ShowProbes()

    def check(context: CallContext) -> None:
        with blaming("say"):
            context.library.clip(values["say"])
        show.begin(settings)

    with claimed(settings.reports):
        run = run_loop(execute(settings, planned, show.observe, check=check, mark=True), in_browser=True)
        written = _written(run, settings.reports)
    if (code := _unusable(run, settings.reports)) is None:
        show.total(run, str(written.parent / "report.html"))
    return EXIT_CODES[run.verdict] if code is None else code


def _written(run: Run, reports: Path) -> Path:
    written = write_run(run, reports)
    write_html(run, reports, load_library())
    return written


def _unusable(run: Run, reports: Path) -> int | None:
    """Say in one line why no page was asked for a call, and give the exit status; None where one was."""
    first = run.calls[0]
    if not (problem := unusable(first.timeline)):
        return None
    taken = [reports / CALLS / first.id / name for name in pictures(first)]
    seen = f" (see {taken[-1]})" if taken else ""
    say(f"harness: {problem}{seen}", err=True)
    return UNREACHABLE if run.unreachable else USAGE


def page_call(clip: str) -> Scenario:
    """Start, speak, hear, stop, leave."""

    @scenario()
    async def page(caller: Caller) -> None:
        """Somebody opens the page, starts a call, says one thing, is answered, and stops."""
        await caller.connect()
        await caller.say(clip)
        await caller.hear_reply()
        await caller.hang_up()

    return page


def unusable(timeline: Timeline) -> str:
    """Why the page was not asked for a call at all: it is not there, or has no button that we know."""
    if timeline.first(ButtonPressed) is not None or timeline.first(HarnessFailed) is not None:
        return ""
    ended = timeline.last(CallEnded)
    return ended.reason if ended else ""


async def _examined(settings: RunSettings, clip: str, show: Show) -> tuple[Examined, Run]:
    found: list[Examined] = []

    async def place(context: CallContext, scenario: Scenario, *, call: str, watch: Watch) -> CallRecord:
        record = await make_call(context, scenario, call=call, watch=watch)
        found.append(Examined(record, context.target.wrapping))
        return record

    def check(context: CallContext) -> None:
        with blaming("say"):
            context.library.clip(clip)  # so that an unknown one is refused before the page is
        show.begin(settings)

    with show:
        run = await execute(
            settings, [Planned(page_call(clip), tuple(REGISTRY))], show.observe, place=place, check=check
        )
    return found[0], run
