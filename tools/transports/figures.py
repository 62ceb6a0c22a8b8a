"""What is shown of the calls: figures by cell, their spread, and which way has the better of it. No I/O."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TRIFLE = 0.05  # of the greater median

Call = Mapping[str, Any]
Cells = Mapping[str, Mapping[str, Sequence[Call]]]
"""By network, then by way: the figures of each call, as `tools.transports.measuring` has them."""


@dataclass(frozen=True)
class Figure:
    """`of` a call, None where it has none; less is better."""

    name: str
    unit: str
    of: Callable[[Call], float | None]


def _at(name: str) -> Callable[[Call], float | None]:
    return lambda call: call[name]


def _rate(name: str) -> Callable[[Call], float | None]:
    return lambda call: call[name] * 8 / 1000 / call["seconds"]


def _cpu(end: str) -> Callable[[Call], float | None]:
    return lambda call: call["cpu_ms"][end] / 10 / call["seconds"]


SET_UP = Figure("set-up", "ms", _at("setup_ms"))
FIRST = Figure("first audio", "ms", _at("first_audio_ms"))
SECOND = Figure("the second turn's first audio", "ms", _at("second_audio_ms"))
GAPS = Figure("gaps heard", "ms", _at("gaps_heard_ms"))
MISSING = Figure("missing in all", "ms", _at("missing_ms"))
LONGEST = Figure("longest gap", "ms", _at("longest_gap_ms"))
UP = Figure("sent by the caller", "kbit/s", _rate("bytes_up"))
DOWN = Figure("sent to the caller", "kbit/s", _rate("bytes_down"))
CALLER = Figure("caller", "% of a core", _cpu("caller"))
RELAY = Figure("relay", "% of a core", _cpu("relay"))
FAKE = Figure("fake OpenAI", "% of a core", _cpu("fake"))
HEARD = Figure("heard of the second question", "s", _at("heard_s"))  # of this, more is better
TABLES = (
    (SET_UP, FIRST, SECOND),
    (GAPS, LONGEST, MISSING),
    (UP, DOWN),
    (CALLER, RELAY, FAKE),
)


@dataclass(frozen=True)
class Spread:
    """Of one figure over the calls of a cell."""

    least: float
    low: float  # the first quartile
    median: float
    high: float  # the third
    most: float
    known: int

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.least)}–{_short(self.most)})"


def spread(values: Sequence[float | None]) -> Spread | None:
    """None where none is known."""
    known = sorted(v for v in values if v is not None)
    if not known:
        return None
    low, median, high = statistics.quantiles(known, n=4, method="inclusive") if len(known) > 1 else known * 3
    return Spread(known[0], low, median, high, known[-1], len(known))


def spread_of(figure: Figure, calls: Sequence[Call]) -> Spread | None:
    """Over the calls of one cell, or of several."""
    return spread([figure.of(call) for call in calls])


def better(websocket: Spread | None, webrtc: Spread | None) -> str:
    """The way whose middle half lies wholly below the other's, and not by a trifle; else empty."""
    if websocket is None or webrtc is None:
        return ""
    least, most = sorted((websocket.median, webrtc.median))
    if most - least <= TRIFLE * most:
        return ""
    if websocket.high < webrtc.low:
        return "websocket"
    return "webrtc" if webrtc.high < websocket.low else ""


def survived(calls: Sequence[Call]) -> int:
    """How many lasted to their end, and had both questions answered."""
    return sum(call["survived"] for call in calls)


def heard_whole(calls: Sequence[Call]) -> int:
    """How many questions were one turn to the fake: neither split by what was lost, nor missed."""
    return sum(call["whole_turns"] for call in calls)


def lost_percent(calls: Sequence[Call], direction: str) -> float:
    """IP packets that the network lost."""
    packets = sum(call[f"packets_{direction}"] for call in calls)
    return 100 * sum(call[f"lost_{direction}"] for call in calls) / packets if packets else 0.0


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.1f}"
