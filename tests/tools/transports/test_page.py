"""The page and the drawing from recorded numbers."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from tools.transports.figures import FIRST, SET_UP, better, spread, spread_of
from tools.transports.found import FIGURES, is_whole, written
from tools.transports.networks import NETWORKS, PUBLISHED_FROM, WAYS
from tools.transports.page import page
from tools.transports.plot import drawing


def call(**differing: Any) -> dict[str, Any]:
    """One that went well."""
    plain: dict[str, Any] = {
        "setup_ms": 100.0,
        "first_audio_ms": 1200.0,
        "second_audio_ms": 1300.0,
        "missing_ms": 40,
        "gaps_heard_ms": 0,
        "longest_gap_ms": 20,
        "survived": True,
        "whole_turns": 2,
        "errors": False,
        "released": True,
        "heard_s": 3.4,
        "ended": "the scenario ran to its end",
        "seconds": 16.0,
        "cpu_ms": {"caller": 500, "relay": 300, "fake": 1200},
        "bytes_up": 320_000,
        "bytes_down": 500_000,
        "packets_up": 600,
        "packets_down": 700,
        "lost_up": 6,
        "lost_down": 0,
    }
    return plain | differing


def recorded() -> dict[str, Any]:
    """A run in which WebRTC was set up more slowly, and one WebSocket call was not answered."""
    dead = call(survived=False, ended="response.created did not come within 12 s", first_audio_ms=None)
    cells = {
        network: {
            "websocket": [call(setup_ms=90.0 + n) for n in range(3)] + ([dead] if network == "train" else []),
            "webrtc": [
                call(setup_ms=290.0 + n, cpu_ms={"caller": 800, "relay": 40, "fake": 1600}) for n in range(3)
            ],
        }
        for network in NETWORKS
    }
    return {
        "date": "2026-11-27",
        "run": {
            "side_by_side": 6,
            "seed": 1,
            "cores": 2,
            "python": "3.11.7",
            "busy_percent": 55.5,
            "lateness_p99_ms": {"median": 2.4, "most": 18.2},
            "spoilt": [["train", "webrtc", "late"]],
            "given_up": 0,
        },
        "cells": cells,
    }


def test_the_page_has_every_network_with_median_and_ends_and_marks_what_is_better() -> None:
    text = page(recorded())
    assert "{" not in text
    rows = [line for line in text.splitlines() if line.startswith("| train |")]
    assert len(rows) == 6  # networks, survival, and four tables
    timed = next(row for row in rows if "291 (290–292)" in row)
    assert "**100 " not in timed
    assert "1,200 (1,200–1,200), of 3 calls" in timed
    assert "3 of 4 | 3 of 3" in next(row for row in rows if "did not come" in row)
    clean = next(line for line in text.splitlines() if line.startswith("| clean |") and "291" in line)
    assert "**91 (90–92)**" in clean
    assert "One call was spoilt" in text


def test_a_way_is_better_only_where_the_middle_halves_lie_apart() -> None:
    low, high, wide = spread([1.0, 2.0, 3.0]), spread([4.0, 5.0, 6.0]), spread([1.0, 2.2, 9.0])
    assert better(low, high) == "websocket"
    assert better(high, low) == "webrtc"
    assert better(low, wide) == better(wide, high) == better(low, None) == ""
    assert better(spread([100.0, 101.0, 102.0]), spread([103.0, 104.0, 105.0])) == ""  # a trifle


def test_a_spread_is_of_what_is_known() -> None:
    found = spread([3.0, None, 1.0, 2.0])
    assert found is not None
    assert (found.least, found.median, found.most, found.known) == (1.0, 2.0, 3.0, 3)
    assert spread([None]) is None
    single = spread_of(SET_UP, [call()])
    assert single is not None
    assert single.low == single.high == 100.0


def test_the_drawing_is_well_formed_and_has_a_box_for_each_way_of_each_network() -> None:
    root = ElementTree.fromstring(drawing(recorded()["cells"]))
    titles = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}title")]
    for figure in (SET_UP, FIRST):
        boxes = [title for title in titles if f": {figure.name} " in title]
        assert len(boxes) == len(NETWORKS) * len(WAYS)
    never = recorded()["cells"]
    never["clean"]["webrtc"] = [call(first_audio_ms=None)]
    assert "never" in drawing(never)


def test_what_is_kept_is_read_back_alike() -> None:
    found = recorded()
    assert json.loads(written(found)) == found


def test_what_is_published_has_enough_calls_of_each_cell() -> None:
    assert not is_whole(recorded()["cells"])
    found = json.loads(FIGURES.read_text(encoding="utf-8"))
    assert is_whole(found["cells"])
    counts = {len(calls) for of in found["cells"].values() for calls in of.values()}
    assert min(counts) >= PUBLISHED_FROM
