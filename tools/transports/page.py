"""docs/transports.md from what was measured. No I/O but for the template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.transports.figures import (
    CALLER,
    DOWN,
    FAKE,
    FIRST,
    GAPS,
    HEARD,
    RELAY,
    SECOND,
    SET_UP,
    TABLES,
    UP,
    Call,
    Cells,
    Figure,
    Spread,
    better,
    heard_whole,
    lost_percent,
    spread_of,
    survived,
)
from tools.transports.measuring import LATE_MOST_MS, LATE_P99_MS
from tools.transports.networks import BLACKOUT_SECONDS, NAMES, NETWORKS, PUBLISHED_FROM, WAYS

TEMPLATE = Path(__file__).with_name("transports.md.in")
HEADINGS = ("Time", "Sound", "Bytes", "CPU")


def page(found: Mapping[str, Any]) -> str:
    """The template with its tables."""
    cells: Cells = found["cells"]
    sections = "\n".join(
        f"### {heading}\n{_table(figures, cells)}\n"
        for heading, figures in zip(HEADINGS, TABLES, strict=True)
    )
    counts = [len(calls) for of in cells.values() for calls in of.values()]
    run = found["run"]
    return TEMPLATE.read_text(encoding="utf-8").format(
        date=found["date"],
        calls=sum(counts),
        least=min(counts),
        networks=len(cells),
        comparison=_comparison(cells),
        survival=_survival(cells),
        set_up=_won(SET_UP, cells),
        first=_won(FIRST, cells),
        second=_won(SECOND, cells),
        worst=_worst(SECOND, cells),
        gaps=_won(GAPS, cells),
        heard=_dark_question(cells),
        up=_times(UP, cells),
        relay=_times(RELAY, cells),
        tables=sections,
        conditions=_conditions(cells),
        blackout=f"{BLACKOUT_SECONDS:g}",
        side_by_side=run["side_by_side"],
        cores=run["cores"],
        busy=f"{run['busy_percent']:.0f}",
        python=run["python"],
        seed=run["seed"],
        published=PUBLISHED_FROM,
        lateness=_lateness(run),
        spoilt=_spoilt(run),
    )


def _comparison(cells: Cells) -> str:
    """The words that teams compare the two by, each with what was counted."""
    every = {way: [call for of in cells.values() for call in of[way]] for way in WAYS}
    lines = ["| aspect | WebSocket | WebRTC | measured as |", "|---|---|---|---|"]

    def row(aspect: str, texts: Sequence[str], how: str) -> None:
        lines.append(f"| {aspect} | {texts[0]} | {texts[1]} | {how} |")

    row(
        "Stability",
        [f"{survived(every[way])} of {len(every[way])}" for way in WAYS],
        "calls over all networks that lasted, and had both questions answered",
    )
    row(
        "Errors",
        [str(sum(call["errors"] for call in every[way])) for way in WAYS],
        "calls in which relay or upstream told one",
    )
    for aspect, figure in (
        ("Latency: set-up", SET_UP),
        ("Latency: first audio", FIRST),
        ("Latency: next turn", SECOND),
        ("Audio: gaps heard", GAPS),
    ):
        row(aspect, _medians(figure, cells), f"{figure.unit}, least and greatest median of a network")
    questions = [f"{heard_whole(every[way])} of {2 * len(every[way])}" for way in WAYS]
    row("Audio: questions", questions, "questions that came as one turn, neither split nor missed")
    row(
        "Audio: what the model hears",
        _medians(HEARD, cells),
        "s of the second question that the far end has, likewise",
    )
    for aspect, figure in (("Cost: bytes up", UP), ("Cost: bytes down", DOWN)):
        row(aspect, _medians(figure, cells), f"{figure.unit} on the wire, likewise")
    for aspect, figure in (("Cost: CPU of the relay", RELAY), ("Cost: CPU of the caller", CALLER)):
        row(aspect, _medians(figure, cells), f"{figure.unit}, likewise")
    row("Cost: CPU of the far end", _medians(FAKE, cells), f"{FAKE.unit}, likewise")
    return "\n".join(lines)


def _medians(figure: Figure, cells: Cells) -> list[str]:
    texts = []
    for way in WAYS:
        spreads = [spread_of(figure, of[way]) for of in cells.values()]
        medians = sorted(s.median for s in spreads if s is not None)
        texts.append(_range(medians))
    return texts


def _range(medians: Sequence[float]) -> str:
    if not medians:
        return "never"
    ends = [f"{value:,.0f}" if value >= 10 else f"{value:.1f}" for value in (medians[0], medians[-1])]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _table(figures: Sequence[Figure], cells: Cells) -> str:
    heads = [f"{f.name}, {f.unit}: {name}" for f in figures for name in NAMES.values()]
    lines = [f"| network | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
    for network, of in cells.items():
        shown = []
        for figure in figures:
            spreads = {way: spread_of(figure, of[way]) for way in WAYS}
            best = better(spreads["websocket"], spreads["webrtc"])
            shown += [_cell(spreads[way], len(of[way]), is_best=way == best) for way in WAYS]
        lines.append(f"| {network} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _cell(found: Spread | None, calls: int, *, is_best: bool) -> str:
    if found is None:
        return "never"
    text = f"**{found}**" if is_best else str(found)
    return text if found.known == calls else f"{text}, of {found.known} calls"


def _won(figure: Figure, cells: Cells) -> str:
    """In how many networks which way is better."""
    by_way = Counter(better(*(spread_of(figure, of[way]) for way in WAYS)) for of in cells.values())
    told = [f"better over {NAMES[way]} in {by_way[way]}" for way in WAYS if by_way[way]]
    alike = f"alike in {by_way['']}" if by_way[""] else ""
    return f"{', '.join(filter(None, [*told, alike]))} of {len(cells)} networks"


def _worst(figure: Figure, cells: Cells) -> str:
    """The greatest of all calls, with its network."""
    texts = []
    for way in WAYS:
        found = [(s.most, network) for network, of in cells.items() if (s := spread_of(figure, of[way]))]
        value, network = max(found, default=(0.0, "none"))
        texts.append(f"{value:,.0f} {figure.unit} over {NAMES[way]} ({network})")
    return " and ".join(texts)


def _dark_question(cells: Cells) -> str:
    """What the far end had of a question in which it went dark, and when it answered."""
    of = next((of for name, of in cells.items() if NETWORKS[name].dark == "speech"), None)
    if of is None:
        return "it was not tried"
    texts = []
    for way in WAYS:
        heard, answered = spread_of(HEARD, of[way]), spread_of(SECOND, of[way])
        texts.append(
            f"over {NAMES[way]} the far end had {heard.median if heard else 0:.1f} s of the question, and "
            f"its answer was heard {answered.median if answered else 0:,.0f} ms after the end"
        )
    return "; ".join(texts)


def _times(figure: Figure, cells: Cells) -> str:
    """How many times the other's median a WebSocket takes, over the networks."""
    ratios = []
    for of in cells.values():
        websocket, webrtc = (spread_of(figure, of[way]) for way in WAYS)
        if websocket and webrtc and webrtc.median:
            ratios.append(websocket.median / webrtc.median)
    return f"{_range(sorted(ratios))} times" if ratios else "unknown times"


def _survival(cells: Cells) -> str:
    lines = [
        "| network | lasted, both answered: WebSocket | WebRTC | questions as one turn: WebSocket | WebRTC "
        "| heard of the second question, s: WebSocket | WebRTC | why others did not last |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for network, of in cells.items():
        lasted = [f"{survived(of[way])} of {len(of[way])}" for way in WAYS]
        whole = [f"{heard_whole(of[way])} of {2 * len(of[way])}" for way in WAYS]
        heard = [str(spread_of(HEARD, of[way]) or "nothing") for way in WAYS]
        lines.append(f"| {network} | {' | '.join([*lasted, *whole, *heard])} | {_reasons(of)} |")
    return "\n".join(lines)


def _reasons(of: Mapping[str, Sequence[Call]]) -> str:
    counted = Counter((way, call["ended"]) for way in WAYS for call in of[way] if not call["survived"])
    return "; ".join(
        f"{NAMES[way]}: {_reason(ended)} ({count})" for (way, ended), count in sorted(counted.items())
    )


def _reason(ended: str) -> str:
    return "a question was not answered" if ended == "the scenario ran to its end" else ended


def _conditions(cells: Cells) -> str:
    lines = [
        "| network | up | down | IP packets lost, up and down: WebSocket | WebRTC |",
        "|---|---|---|---|---|",
    ]
    for network, of in cells.items():
        made = NETWORKS[network].conditions
        ends = [
            ", ".join(f"{name} {value:g}" for name, value in side.changed.items()) or "nothing is done"
            for side in (made.up, made.down)
        ]
        lost = [" and ".join(f"{lost_percent(of[way], d):.1f} %" for d in ("up", "down")) for way in WAYS]
        lines.append(f"| {network} | {' | '.join([*ends, *lost])} |")
    return "\n".join(lines)


def _lateness(run: Mapping[str, Any]) -> str:
    late = run["lateness_p99_ms"]
    return f"{late['median']:.0f} ms in the median call and {late['most']:.0f} ms in the worst"


def _spoilt(run: Mapping[str, Any]) -> str:
    if not run["spoilt"]:
        return "No call was spoilt by this machine."
    by_way = Counter(way for _, way, _ in run["spoilt"])
    counted = " and ".join(f"{by_way[way]} over {name}" for way, name in NAMES.items())
    ending = f" {run['given_up']} were given up after four attempts." if run["given_up"] else ""
    how_many = "One call was" if len(run["spoilt"]) == 1 else f"{len(run['spoilt'])} calls were"
    return (
        f"{how_many} spoilt by this machine ({counted}): our own end or the fake was more than "
        f"{LATE_P99_MS:g} ms late (99th percentile) or {LATE_MOST_MS:g} ms at most, or one of them or the "
        f"forwarder stood still. What was spoilt was made again with the same seed.{ending}"
    )
