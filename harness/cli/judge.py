"""`harness judge`: the verdicts on a timeline that a run wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from harness.cli.options import takes_options
from harness.cli.screen import say
from harness.config.option_texts import read_options
from harness.core.bounds import LONGEST_LINE
from harness.core.errors import UsageError
from harness.core.events import CallStarted
from harness.core.timeline import Timeline
from harness.report.explain import explain
from harness.report.files import as_results
from harness.requirements.model import Requirement, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.judging import judge_call, judge_over_calls
from harness.run.model import EXIT_CODES, CallEntry, Run
from harness.run.selecting import selected_requirements


@click.command()
@click.argument("timeline", type=click.Path(path_type=Path))
@takes_options("judge")
def judge(timeline: Path, **texts: Any) -> int:
    """Judge TIMELINE, a timeline.jsonl that a run wrote, again."""
    values = read_options("judge", texts)
    asked = selected_requirements(values)
    run = _judged(read_timeline(timeline), asked, strict=values["strict"])
    if values["as_json"]:
        say(json.dumps(as_results(run), indent=1, ensure_ascii=False))
    else:
        for verdict in run.verdicts:
            # Outcome first, so that a column of words can be skimmed.
            head, _, rest = explain(verdict, REGISTRY.get(verdict.id).title).partition("\n")
            needs_words = verdict.cause is not None or verdict.explanation
            say(f"{verdict.outcome.value:<15} {head}" + (f"\n{rest}" if needs_words else ""))
        say(f"the target is {run.verdict.value}")
    return EXIT_CODES[run.verdict]


def read_timeline(path: Path) -> Timeline:
    """Raises UsageError naming the file, and the line where it is damaged."""
    try:
        with path.open("rb") as file:
            return Timeline.from_lines(_lines(file))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", "give a timeline.jsonl that a run wrote"
        ) from error
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", error.remedy) from error


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """One at a time; of one that is longer than any only so much that it shows."""
    while line := file.readline(LONGEST_LINE + 2):
        yield line


def _judged(timeline: Timeline, asked: Sequence[Requirement], *, strict: bool) -> Run:
    started = timeline.first(CallStarted) or CallStarted(at=0.0, call="", target="unknown")
    verdicts: list[Verdict] = []

    def keep(_requirement: Requirement, verdict: Verdict) -> None:
        verdicts.append(verdict)

    judge_call(timeline, asked, keep, strict=strict)
    judge_over_calls([timeline], asked, keep, strict=strict)
    return Run(
        target=started.target,
        dialect=started.dialect,
        mode=started.mode,
        seed=started.seed,
        started_at=started.started_at,
        calls=(CallEntry(started.call, started.scenario, timeline),),
        verdicts=tuple(verdicts),
        strict=strict,
    )
