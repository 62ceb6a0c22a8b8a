"""`harness page`: one ordinary call by your own web page, in a real browser; then what is wrong with it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import uvloop

from harness.call import Caller, Scenario, scenario
from harness.call.conduct import CallRecord, Watch, make_call
from harness.call.context import CallContext
from harness.cli.examining import Examined
from harness.cli.main import UNREACHABLE, USAGE
from harness.cli.options import settings_of
from harness.cli.screen import say
from harness.cli.showing import Show, ShowJson, ShowLines, ShowLive
from harness.config.page import MOODS, PageOptions
from harness.config.run import RunSettings
from harness.config.timeouts import Timeouts
from harness.core.events import ButtonPressed, CallEnded, HarnessFailed
from harness.core.timeline import Timeline
from harness.report.files import CALLS, pictures, write_run
from harness.report.html import write_html
from harness.requirements.registry import REGISTRY
from harness.run.engine import Planned, execute
from harness.run.model import EXIT_CODES, Run
from harness.speech.library import load_library

# A page that hangs is told within 20 s: its start and its end take some of them.
TIMEOUTS = Timeouts(answer=8.0, channel=8.5, created=3.0, turn=7.0, reply=12.0, hang_up=5.0)


@click.command()
@click.argument("url", metavar="URL|NAME", required=True)
@click.option(
    "--start",
    metavar="SELECTOR",
    multiple=True,
    help="the button that starts a call, as Playwright selects ('text=Start call'); several are pressed "
    "in this "
    "order (default: the obvious one)",
)
@click.option(
    "--stop", metavar="SELECTOR", default="", help="the button that ends it (default: the obvious one)"
)
@click.option(
    "--microphone",
    metavar="|".join(MOODS),
    default="willing",
    show_default=True,
    help="how the page's question for a microphone is answered",
)
@click.option("--language", metavar="TAG", default="", help="the browser's language, such as es-ES")
@click.option(
    "--storage-state",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="cookies of somebody who is logged in, as `playwright open --save-storage FILE` writes them",
)
@click.option(
    "--fake-openai",
    metavar="HOST:PORT",
    help="the harness's fake that the page's backend has for its OpenAI base URL: both ends are seen",
)
@click.option("--say", "clip", metavar="CLIP", default="en-f-order", show_default=True, help="what is said")
@click.option(
    "--limit",
    "limits",
    metavar="NAME=VALUE",
    multiple=True,
    help="what the call is judged by, such as latency_ms=1500; may be repeated",
)
@click.option("--strict", is_flag=True, help="SHOULD requirements fail instead of warning")
@click.option("--seed", type=int, help="repeats a run's choices (default: a new one)")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="the file that names targets (default: harness.toml here or in a folder above)",
)
@click.option(
    "--reports",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("reports/page"),
    show_default=True,
    help="where results.json, screenshots and the other evidence go",
)
@click.option("--json", "as_json", is_flag=True, help="print one JSON document instead of lines")
def page(
    url: str,
    start: tuple[str, ...],
    stop: str,
    microphone: Any,
    language: str,
    storage_state: Path | None,
    clip: str,
    reports: Path,
    as_json: bool,
    **options: Any,
) -> int:
    """Make one ordinary call with the web page at URL, in Chromium, and say what is wrong.

    Exit status: 0 conforming, 1 violating, 2 usage, 3 unreachable, 4 inconclusive or the harness broke.
    """
    used = PageOptions(start, stop, microphone, language, storage_state)
    settings = settings_of(
        url, caller="page", page=used, reports=reports, ice_server=(), ice_servers_from=None,
        ice_transport_policy=None, ice_ca=None, **options,
    )  # fmt: skip
    settings = replace(settings, timeouts=TIMEOUTS)
    show: Show = ShowJson() if as_json else ShowLive() if sys.stdout.isatty() else ShowLines()
    examined, run = uvloop.run(_examined(settings, clip, show))
    written = write_run(run, reports)
    write_html(run, reports, load_library())
    if problem := unusable(examined.record.timeline):
        taken = [reports / CALLS / run.calls[0].id / name for name in pictures(run.calls[0])]
        seen = f" (see {taken[-1]})" if taken else ""
        say(f"harness: {problem}{seen}", err=True)
        return UNREACHABLE if run.unreachable else USAGE
    show.outcome(examined, run, written)
    return EXIT_CODES[run.verdict]


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
        found.append(Examined(record, context.target.dialect))
        return record

    def check(context: CallContext) -> None:
        context.library.clip(clip)  # so that an unknown one is refused before the browser is asked
        show.begin(settings)

    with show:
        run = await execute(
            settings, [Planned(page_call(clip), tuple(REGISTRY))], show.observe, place=place, check=check
        )
    return found[0], run
