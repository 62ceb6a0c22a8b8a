"""Parts of the proof about offers as browsers write them, and about libwebrtc at the far end."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from pathlib import Path

import uvloop

from harness.core.offer_shapes import CHROMIUM, FIREFOX, FIREFOX_GATHERED, LIBWEBRTC, OFFER_SHAPES
from tests.far_end.calling import make_calls_to_libwebrtc
from tests.peer.browsers import offers_of_chromium, offers_of_firefox
from tests.peer.test_offers import offer_of
from tests.peer.test_offers_of_browsers import without_chance
from tests.system.faultless import Part, false_alarms, faultless, make_faultless


def prove_offers(number: int, seed: int) -> Part:
    """False alarms in so many calls with each shape of offer."""
    timelines = [t for shape in OFFER_SHAPES for t in make_faultless(faultless(number, shape), seed)]
    found = false_alarms(timelines)
    shapes = {"shapes_of_offers": len(OFFER_SHAPES), "calls_with_each": number, "seed": seed}
    return Part(found.figures | shapes, found.wrong)


def prove_libwebrtc(number: int, seed: int) -> Part:
    """False alarms in so many calls to libwebrtc, every scenario and shape in turn."""
    timelines = uvloop.run(make_calls_to_libwebrtc(number, seed=seed))
    found = false_alarms(timelines)
    return Part(found.figures | {"shapes_of_offers": len(OFFER_SHAPES), "seed": seed}, found.wrong)


def prove_browsers(_number: int, _seed: int) -> Part:
    """Lines in which our offers differ from those of the browsers that are installed."""
    figures: dict[str, object] = {}
    wrong: list[str] = []
    for program, real_offers, at_once, gathered in (
        ("chromium", offers_of_chromium, CHROMIUM, LIBWEBRTC),
        ("firefox-esr", offers_of_firefox, FIREFOX, FIREFOX_GATHERED),
    ):
        path = shutil.which(program)
        if path is None:
            wrong.append(f"{program} is not installed")
            continue
        figures[program] = subprocess.run(  # noqa: S603  (a browser by its own name)
            [path, "--version"], check=True, capture_output=True, text=True
        ).stdout.strip()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            real = real_offers(path, Path(profile))
        for text, shape in ((real.get("at_once", ""), at_once), (real.get("gathered", ""), gathered)):
            ours = asyncio.run(offer_of(shape)).text
            wrong += [f"{shape}: {line}" for line in _differing(without_chance(ours), without_chance(text))]
    return Part(figures | {"lines_that_differ": len(wrong)}, wrong)


def _differing(ours: list[str], theirs: list[str]) -> list[str]:
    if ours == theirs:
        return []
    gone = [f"only the browser's has {line!r}" for line in theirs if line not in ours]
    new = [f"only ours has {line!r}" for line in ours if line not in theirs]
    return gone + new or ["the order differs"]
