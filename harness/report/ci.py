"""What GitHub and GitLab show of a run beside its log: written where their variables say that we are there.

Documented at docs.github.com (workflow commands, job summaries) and docs.gitlab.com (code quality).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from harness.core.printable import printable
from harness.report.explain import RootCause, by_urgency, root_causes
from harness.report.markdown import paragraphs, text
from harness.report.urgency import Urgency
from harness.requirements.model import Outcome
from harness.run.model import Run, RunVerdict
from harness.run.stream import Happening, RunEnded

CODE_QUALITY = "gl-code-quality.json"
MOST_ANNOTATIONS = 10  # of each kind, GitHub shows of one step
MOST_SUMMARY = 1_000_000  # bytes; GitHub drops a summary of over 1 MiB as a whole

_SEVERITY = {
    Urgency.OURS: "info",
    Urgency.HURT: "blocker",
    Urgency.LOSS: "critical",
    Urgency.HARDEN: "minor",
    Urgency.UNTOLD: "info",
}


@dataclass
class CiSummary:
    """Observes a run: tells the CI service that its environment names. `lines` are for our output."""

    reports: Path
    environment: Mapping[str, str]
    lines: list[str] = field(default_factory=list)

    def __call__(self, happening: Happening) -> None:
        """Nothing before the end."""
        if isinstance(happening, RunEnded):
            self.lines = tell_ci(happening.run, self.reports, self.environment)


def tell_ci(run: Run, reports: Path, environment: Mapping[str, str]) -> list[str]:
    """Write what the CI service collects; returns the lines that it reads from our output.

    Nothing where no service says that we run there. What cannot be written is a line, and fails no run.
    """
    lines: list[str] = []
    try:
        if environment.get("GITHUB_ACTIONS") == "true":
            lines = workflow_commands(run, Path(environment.get("GITHUB_WORKSPACE") or "."))
            if file := environment.get("GITHUB_STEP_SUMMARY"):
                _append(Path(file), step_summary(run))
        if environment.get("GITLAB_CI") == "true":
            found = code_quality(run, Path(environment.get("CI_PROJECT_DIR") or "."))
            reports.mkdir(parents=True, exist_ok=True)
            (reports / CODE_QUALITY).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        lines.append(f"the summary for CI cannot be written: {printable(str(error))}")
    return lines


def workflow_commands(run: Run, workspace: Path) -> list[str]:
    """GitHub's workflow commands: each root cause at the scenario that shows it, the worst first."""
    lines = []
    for kind, found in _by_kind(run).items():
        for cause in found[:MOST_ANNOTATIONS]:
            verdict = cause.verdict
            path, line = _place(run, cause, workspace)
            place = f"file={_property(path)},line={line}," if path else ""
            title = f"{verdict.id}: {verdict.cause or verdict.outcome.value}"
            said = [verdict.explanation, f"fix: {verdict.fix}" if verdict.fix else "", f"hits {cause.hits}"]
            message = _data("\n".join(filter(None, said)))
            lines.append(f"::{kind} {place}title={_property(title)}::{message}")
    return lines


def step_summary(run: Run) -> str:
    """GitHub's job summary, in Markdown."""
    causes = root_causes(run.verdicts)
    made = f"{len(run.calls)} calls to {text(run.target)} ({run.mode}), seed {run.seed}"
    blocks = [f"## The target is {run.verdict.value}", made]
    if run.unreachable:
        blocks.append(f"Nothing answered: {text(run.unreachable)}")
    for urgency, found in by_urgency(causes):
        blocks.append(f"### {urgency.value.capitalize()}")
        for each in found:
            name = escape(f"{each.verdict.id}: {each.verdict.cause or each.verdict.outcome.value}")
            hits = f"**Hits:** {text(each.hits)}"
            blocks.append(
                f"<details><summary>{name}</summary>\n\n{paragraphs(each.verdict)}\n\n{hits}\n\n</details>"
            )
    rows = [
        f"| {text(name)} | {m.count} | {m.p50:g} {m.unit} | {m.max:g} {m.unit} |"
        for name, m in run.measurements().items()
        if m.p50 is not None and m.max is not None
    ]
    if rows:
        blocks.append("\n".join(["| measured | count | median | worst |", "|---|---|---|---|", *rows]))
    return "\n\n".join(blocks) + "\n"


def code_quality(run: Run, project: Path) -> list[dict[str, object]]:
    """GitLab's code quality report: each root cause at the scenario that shows it."""
    entries: list[dict[str, object]] = []
    for cause in root_causes(run.verdicts):
        verdict = cause.verdict
        path, line = _place(run, cause, project)
        name = f"{verdict.id}: {verdict.cause or verdict.outcome.value}"
        entries.append(
            {
                "description": printable(f"{name}: {verdict.explanation}"),
                "check_name": verdict.id,
                # The same finding of two runs has one fingerprint, so that a merge request shows what is new.
                "fingerprint": hashlib.sha256(f"{name} {path}".encode()).hexdigest(),
                "severity": _SEVERITY[cause.urgency],
                "location": {"path": path or "harness.toml", "lines": {"begin": max(line, 1)}},
            }
        )
    return entries


def _by_kind(run: Run) -> dict[str, list[RootCause]]:
    found: dict[str, list[RootCause]] = {"error": [], "warning": [], "notice": []}
    if run.verdict is RunVerdict.UNREACHABLE:
        return found
    kinds = {Outcome.FAILED: "error", Outcome.ERROR: "error", Outcome.WARNED: "warning"}
    for cause in root_causes(run.verdicts):
        found[kinds.get(cause.verdict.outcome, "notice")].append(cause)
    return found


def _place(run: Run, cause: RootCause, root: Path) -> tuple[str, int]:
    """Where the first scenario that shows it stands, seen from the root; no file where it is not below."""
    shown = next((c for c in run.calls if c.scenario in cause.scenarios and c.place[0]), None)
    first = shown or next((c for c in run.calls if c.place[0]), None)
    if first is None:
        return "", 0
    path, line = first.place
    try:
        return Path(path).resolve().relative_to(root.resolve()).as_posix(), line
    except ValueError:
        return "", 0


def _append(file: Path, summary: str) -> None:
    body = summary.encode()
    if len(body) > MOST_SUMMARY:
        body = body[:MOST_SUMMARY].rpartition(b"\n")[0] + b"\n\n(cut short; results.json has all)\n"
    with file.open("ab") as out:
        out.write(body)


def _data(value: str) -> str:
    """As GitHub wants what stands behind the second `::`: no line of it may begin a command."""
    safe = printable(value, lines=True)
    return safe.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
