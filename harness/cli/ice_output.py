"""What `harness ice` says of its probes: as JSON, as plain lines, or as a table on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from harness.cli.screen import console, say
from harness.network.probing import Probe, ProbeStep


def as_json(probes: Sequence[Probe]) -> dict[str, Any]:
    """`{"works": …, "servers": […]}`; times in milliseconds."""
    return {"works": all(p.works for p in probes), "servers": [_server(p) for p in probes]}


def print_lines(probes: Sequence[Probe]) -> None:
    """One line a step, for pipes and logs."""
    for probe in probes:
        say(f"{probe.url.url}  {_verdict(probe)}")
        for step in probe.steps:
            say(f"  {step.name:<10} {_ms(step):>8}  {step.error or step.detail}".rstrip())
        for word, text in _reasons(probe):
            say(f"  {word:<10} {text}")
    say(_summary(probes))


def print_table(probes: Sequence[Probe]) -> None:
    """One row a step, with a mark that can be seen from afar."""
    out = console()
    for probe in probes:
        mark = Text("✓ ", "green") if probe.works else Text("✗ ", "red")
        out.print(mark + Text(probe.url.url, "bold") + Text(f"  {_verdict(probe)}"))
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", min_width=12)
        table.add_column(justify="right", min_width=8)
        table.add_column(overflow="fold")
        for step in probe.steps:
            style = "red" if step.error else ""
            table.add_row(f"  {step.name}", _ms(step), Text(step.error or step.detail, style))
        for word, text in _reasons(probe):
            table.add_row(f"  {word}", "", Text(text))
        out.print(table)
    out.print(_summary(probes), style="green" if all(p.works for p in probes) else "red")


def _server(probe: Probe) -> dict[str, Any]:
    cause = probe.cause
    return {
        "url": probe.url.url,
        "works": probe.works,
        "transport": "tls" if probe.url.secure else probe.url.transport,
        "address": probe.address or None,
        "realm": probe.realm or None,
        "candidates": [_candidate(text) for text in probe.candidates],
        "steps": [
            {
                "name": step.name,
                "ms": round(1000 * step.seconds, 1),
                "error": step.error or None,
                "detail": step.detail or None,
            }
            for step in probe.steps
        ],
        "cause": cause.slug if cause else None,
        "seen": cause.seen if cause else None,
        "fix": cause.fix if cause else None,
    }


def _candidate(text: str) -> dict[str, Any]:
    kind, _, address = text.partition(" ")
    host, _, port = address.rpartition(":")
    return {"type": kind, "address": host, "port": int(port)}


def _verdict(probe: Probe) -> str:
    if probe.cause is not None:
        return f"fails: {probe.cause.slug}"
    kinds = list(dict.fromkeys(text.partition(" ")[0] for text in probe.candidates))
    return f"works: {', '.join(kinds)}"


def _reasons(probe: Probe) -> list[tuple[str, str]]:
    """Its step says what was seen, but of a realm, which is wrong although the server lets us in."""
    if probe.cause is None:
        return []
    seen = [] if probe.steps[-1].error else [("seen", probe.cause.seen)]
    return [*seen, ("fix", probe.cause.fix)]


def _ms(step: ProbeStep) -> str:
    return f"{1000 * step.seconds:.0f} ms"


def _summary(probes: Sequence[Probe]) -> str:
    return f"{sum(p.works for p in probes)} of {len(probes)} work"
