"""`harness doctor`: one call through a relay, stage by stage; then what is wrong, and how to fix it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harness.call import Scenario
from harness.call.conduct import CallRecord, Watch
from harness.call.context import CallContext
from harness.cli.examining import Examined, check_call, examine
from harness.cli.options import takes_options
from harness.cli.screen import say
from harness.cli.showing import Show, ShowJson, ShowLines, ShowLive
from harness.config.asking import settings_of
from harness.config.option import blaming
from harness.config.option_texts import read_options
from harness.config.run import RunSettings
from harness.core.callers import CALLERS
from harness.core.errors import UsageError
from harness.core.offer_shapes import CHROMIUM
from harness.platform.loop import run_loop
from harness.report.ci import tell_ci
from harness.report.files import write_run
from harness.report.folder import claimed
from harness.report.html import write_html
from harness.report.telemetry import send_run
from harness.requirements.registry import REGISTRY
from harness.run.engine import Planned, execute
from harness.run.model import EXIT_CODES, Run
from harness.run.smoke import smoke, smoke_requirements
from harness.run.stream import Happening, Observer, RunEnded
from harness.speech.library import load_library


@click.command()
@click.argument("target", metavar="URL|NAME", required=False)
@takes_options("doctor")
def doctor(target: str | None, **texts: Any) -> int:
    """Make one call through the relay at URL, or NAME in harness.toml, and say what is wrong.

    Exit status: 0 conforming, 1 violating, 2 usage, 3 unreachable, 4 inconclusive or the harness broke.
    """
    values = read_options("doctor", texts)
    settings = settings_of("doctor", values, target=target)
    if not settings.offer and "offer" not in CALLERS[settings.caller].cannot:
        settings = replace(settings, offer=CHROMIUM)  # what most callers have
    if settings.target is None:
        raise UsageError(
            "there is no relay to look at",
            "give its URL or its name in harness.toml; `harness demo` needs none",
        )
    show: Show = ShowJson() if values["as_json"] else ShowLive() if sys.stdout.isatty() else ShowLines()
    plan = smoke if values["smoke"] else check_call(values["say"])
    with blaming("say"):
        load_library().clip(values["say"])  # so that an unknown one is refused before anything is written
    with claimed(settings.reports):
        written: list[Path] = []

        def observe(happening: Happening) -> None:
            show.observe(happening)
            if isinstance(happening, RunEnded):  # also of a run that is cut short
                written.append(write_run(happening.run, settings.reports))
                write_html(happening.run, settings.reports, load_library())

        examined, run = run_loop(_examined(settings, plan, show, observe), in_browser=settings.in_browser)
        traced = send_run(run) if settings.telemetry else []
        for line in (*tell_ci(run, settings.reports, os.environ), *traced):
            say(line, err=values["as_json"])
        show.outcome(examined, run, written[-1])
    return EXIT_CODES[run.verdict]


async def _examined(
    settings: RunSettings, plan: Scenario, show: Show, observe: Observer
) -> tuple[Examined, Run]:
    found: list[Examined] = []

    async def place(context: CallContext, scenario: Scenario, *, call: str, watch: Watch) -> CallRecord:
        del call  # each dialect that is tried has a call, and a number, of its own
        examined = await examine(context, scenario, watch=watch, on_refused=show.refused)
        found.append(examined)
        return examined.record

    planned = [Planned(plan, smoke_requirements() if plan is smoke else tuple(REGISTRY))]
    with show:
        run = await execute(settings, planned, observe, place=place, check=lambda _: show.begin(settings))
    return found[0], run
