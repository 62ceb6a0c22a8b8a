"""Prometheus's text format, version 0.0.4: what a scraper is answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.core.printable import printable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True)
class Metric:
    """One name with its values by labels. A histogram's samples are named apart by `suffixes`."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    values: Sequence[tuple[Mapping[str, str], float]]
    suffixes: Sequence[str] = ()


def exposition(metrics: Iterable[Metric]) -> str:
    """The answer to a scrape; a metric without values is left out. What came from outside is escaped."""
    lines: list[str] = []
    for metric in metrics:
        if not metric.values:
            continue
        if not _NAME.fullmatch(metric.name):
            raise ValueError(f"{metric.name!r} is no metric's name")
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        suffixes = metric.suffixes or [""] * len(metric.values)
        for suffix, (labels, value) in zip(suffixes, metric.values, strict=True):
            said = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            lines.append(f"{metric.name}{suffix}" + (f"{{{said}}}" if said else "") + f" {value:.15g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return printable(text).translate(_ESCAPES)
