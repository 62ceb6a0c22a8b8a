"""How the doctor shows a call: live on a terminal, line by line in a pipe, or as one JSON document."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.cli.examining import DialectRefused, Examined
from harness.cli.screen import console, finding, say, stage_line, stage_table
from harness.config.run import RunSettings
from harness.config.targets import FILE_NAME
from harness.core.dialects import DEFAULT_DIALECT, OWN, Dialect
from harness.report.explain import RootCause, by_urgency, explain, heading, root_causes
from harness.report.files import as_results
from harness.report.urgency import Urgency
from harness.requirements.arrivals import strays, told
from harness.requirements.model import Outcome
from harness.requirements.registry import REGISTRY
from harness.run.checkup import Check, State, checkup
from harness.run.checkup_stages import STAGES
from harness.run.model import Run, RunVerdict
from harness.run.stream import Happening, Noted, StageReached
from harness.signaling.searching import lines_to_paste, token_lines

MODES = {"embedded": "embedded", "black-box": "black box", "grey-box": "grey box: both ends are seen"}
STYLES = {
    RunVerdict.CONFORMING: "bold green",
    RunVerdict.VIOLATING: "bold red",
    RunVerdict.INCONCLUSIVE: "bold yellow",
    RunVerdict.UNREACHABLE: "bold red",
}
MOST_TOLD = 6  # refused dialects
URGENT = {Urgency.OURS: "bold red", Urgency.HURT: "bold red", Urgency.LOSS: "bold red"}


class Show(Protocol):
    """What the doctor tells while it works, and at the end."""

    def begin(self, settings: RunSettings) -> None: ...
    def observe(self, happening: Happening) -> None: ...
    def refused(self, refusal: DialectRefused) -> None: ...
    def outcome(self, examined: Examined, run: Run, written: Path) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ShowJson:
    """Nothing until the end, then results.json with the stages beside it."""

    def begin(self, settings: RunSettings) -> None:
        """Say nothing."""

    def observe(self, happening: Happening) -> None:
        """Say nothing on standard output but the document."""
        if isinstance(happening, Noted):
            say(happening.text, err=True)

    def refused(self, refusal: DialectRefused) -> None:
        """Say nothing: it is in the document."""

    def outcome(self, examined: Examined, run: Run, written: Path) -> None:
        """Print the document."""
        document = as_results(run) | {
            "stages": [c.as_result() for c in checkup(examined.record.timeline, run.verdicts)],
            "dialect_found": examined.was_found,
            "dialect_lines": [
                *lines_to_paste(examined.dialect),
                *(token_lines(examined.token) if examined.token else []),
            ],
            "dialects_refused": [asdict(refusal) for refusal in examined.refused],
            "evidence_in": str(written.parent),
        }
        say(json.dumps(document, indent=1, ensure_ascii=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


class ShowLines:
    """Each stage as a line when it is reached: for a pipe or a log."""

    def __init__(self, out: Console | None = None) -> None:
        self.out = out or console()
        self._told: set[str] = set()

    def begin(self, settings: RunSettings) -> None:
        """Say who is called."""
        self.out.print(Text(f"{settings.the_target.shown_url}  ({MODES[settings.mode]})", "bold"))

    def observe(self, happening: Happening) -> None:
        """Tell each stage as the call reaches it."""
        match happening:
            case StageReached():
                self._show(checkup(happening.timeline))
            case Noted(text):
                self.out.print(text)

    def refused(self, refusal: DialectRefused) -> None:
        """Tell that the next dialect is tried."""
        self.out.print(f"  the dialect {refusal.dialect} was refused ({refusal.cause}): trying the next")
        self._told = {STAGES[0].name}  # candidates are gathered again, which says nothing new

    def outcome(self, examined: Examined, run: Run, written: Path) -> None:
        """Tell what is wrong, how to fix it, and the verdict."""
        self._show_judged(checkup(examined.record.timeline, run.verdicts))
        for urgency, found in by_urgency(root_causes(run.verdicts)):
            self.out.print()
            self.out.print(Text(heading(urgency, len(found)), URGENT.get(urgency, "bold yellow")))
            for each in found:
                self._show_finding(each)
        self.out.print()
        self.out.print(Text(headline(run), STYLES[run.verdict]))
        for line in _dialect(examined, run):
            self.out.print(Text(line))
        for stray in strays(examined.record.timeline):
            self.out.print(f"at {stray.at:.3f} s this arrived, of no call that is known: {told(stray)}")
        self.out.print(f"report in {written.parent / 'report.html'}; seed {run.seed}", style="dim")

    def _show(self, checks: list[Check]) -> None:
        for check in checks:
            if check.at is not None and check.name not in self._told:
                self._told.add(check.name)
                self.out.print(stage_line(check))

    def _show_judged(self, checks: list[Check]) -> None:
        """What the verdicts add: the stages not reached, and those with something wrong."""
        for check in checks:
            if check.state != State.REACHED or check.name not in self._told:
                self.out.print(stage_line(check))

    def _show_finding(self, found: RootCause) -> None:
        self.out.print(_explained(found))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


class ShowLive(ShowLines):
    """All stages at once, ticked off where they stand: for a terminal."""

    def __init__(self, out: Console | None = None) -> None:
        super().__init__(out)
        # It goes when the call is over, and the judged list takes its place.
        self._live = Live(console=self.out, refresh_per_second=10, transient=True)

    def _show(self, checks: list[Check]) -> None:
        self._live.update(stage_table(checks))

    def _show_judged(self, checks: list[Check]) -> None:
        self.out.print(stage_table(checks))

    def _show_finding(self, found: RootCause) -> None:
        self.out.print(finding(_explained(found), URGENT.get(found.urgency, "bold yellow")))

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def headline(run: Run) -> str:
    """The verdict with its counts, in a line."""
    counts = Counter(verdict.outcome for verdict in run.verdicts)
    order = (
        Outcome.FAILED,
        Outcome.ERROR,
        Outcome.WARNED,
        Outcome.INCONCLUSIVE,
        Outcome.BLOCKED,
        Outcome.PASSED,
    )
    told = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in order if counts[outcome])
    who = "page" if run.caller == "page" else "relay"
    return "; ".join([f"the {who} is {run.verdict.value}: {told}", *run.unexplained])


def _explained(found: RootCause) -> str:
    """With whom it hits."""
    told = explain(found.verdict, REGISTRY.get(found.verdict.id).title)
    also = f"\n  also  {found.beside}" if found.also else ""
    return f"{told}{also}\n  hits  {found.hits}"


def _dialect(examined: Examined, run: Run) -> list[str]:
    """What the search came to: a relay that takes a form by mistake looks like one that means it."""
    if not examined.was_found and examined.refused:
        return _nothing_fits(examined)
    if examined.token is not None:
        return [
            f"this address takes no offer: it mints keys ({examined.token.method}, the key at "
            f"{examined.token.value}), with which a page calls OpenAI itself. Write it down in {FILE_NAME}:",
            *(f"  {line}" for line in _target_lines(run)),
            *(f"  {line}" for line in token_lines(examined.token)),
        ]
    if not examined.searched or examined.dialect.name == DEFAULT_DIALECT:
        return []
    refused = examined.refused
    lines = [f"the dialect {_named(examined.dialect)} was found by search; refused before it:"]
    lines += [f"  {refusal.dialect}: {refusal.cause}, {refusal.seen}" for refusal in refused[:MOST_TOLD]]
    lines += [f"  and {len(refused) - MOST_TOLD} more"] if len(refused) > MOST_TOLD else []
    if not refused:
        lines = [f"the dialect {_named(examined.dialect)} was found at once"]
    lines.append(
        "does your page speak it? If it speaks another, its refusal is the relay's fault. Write it down in "
        f"{FILE_NAME}:"
    )
    return [*lines, *(f"  {line}" for line in [*_target_lines(run), *lines_to_paste(examined.dialect)])]


def _target_lines(run: Run) -> list[str]:
    return ["[targets.NAME]  # for --target NAME", f"url = {json.dumps(run.target)}"]


def _nothing_fits(examined: Examined) -> list[str]:
    names = [refusal.dialect for refusal in examined.refused]
    causes = {refusal.cause for refusal in examined.refused}
    if len(causes) == 1:
        lines = [
            f"every dialect was refused alike ({causes.pop()}): most likely the dialect is not the problem "
            f"({len(names)} tried)"
        ]
    else:
        lines = [f"every dialect was refused ({len(names)} tried, such as {', '.join(names[:4])})"]
    seen = Counter(refusal.seen for refusal in examined.refused).most_common(1)[0][0]
    wants = f"; it names {', '.join(examined.unknown)}: give them as fields" if examined.unknown else ""
    return [
        *lines,
        f"it said: {seen}{wants}",
        f'describe what your page sends in {FILE_NAME}: dialect = {{ offer = "…", answer = "…" }} '
        "(docs/targets.md)",
    ]


def _named(dialect: Dialect) -> str:
    answer = f", the answer at {dialect.answer}" if dialect.answer else ""
    return f"{'' if dialect.name == OWN else dialect.name + ' '}({dialect.shown}{answer})".strip()
