"""The figures of the benchmark, their bars, and the table that shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure. `at_least` False: the bar is the most that it may be."""

    key: str
    bar: float
    at_least: bool
    meaning: str

    def holds(self, value: float) -> bool:
        """Whether a value meets the bar."""
        return value >= self.bar if self.at_least else value <= self.bar


FIGURES = (
    Figure("plain_over_ours", 15, True, "CPU of a call-second, plain aiortc over ours"),
    Figure("ours_over_floor", 4, False, "ours over SRTP and system calls alone"),
    Figure("setup_plain_over_ours", 1.5, True, "CPU to set up a call, plain aiortc over ours"),
    Figure("calls_per_core", 400, True, "calls on one core, p99 lateness < 10 ms, nothing lost"),
    Figure("calls_end_to_end", 200, True, "calls on two cores with relay, fake and Locust, no failure"),
    Figure("ours_over_pion", 1.1, False, "CPU of a call-second, ours over Pion's"),
    Figure("setup_ours_over_pion", 2.0, False, "CPU to set up a call, ours over Pion's"),
    Figure("offers_per_second", 2000, True, "offers a second from one core, on time"),
    Figure("mib_per_call", 0.5, False, "memory of a call"),
    Figure("growth", 1.2, False, "CPU of a call at the most calls over that at few"),
)


def table(figures: Mapping[str, float | None], absolutes: Mapping[str, str]) -> Iterator[str]:
    """The lines of the report; a figure that was not measured is not shown."""
    yield f"{'figure':<24}{'measured':>10}  {'bar':>8}      what it is"
    for figure in FIGURES:
        value = figures.get(figure.key)
        if value is not None:
            bar = f"{'≥' if figure.at_least else '≤'} {figure.bar:g}"
            verdict = "    " if figure.holds(value) else "MISS"
            yield f"{figure.key:<24}{value:>10.2f}  {bar:>8} {verdict} {figure.meaning}"
    yield ""
    for name, text in absolutes.items():
        yield f"{name:<40}{text:>14}"
