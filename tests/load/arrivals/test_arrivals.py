"""Searches by offers alone, against relays that are each short of something: the reason must be named."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.config.option_texts import read_options
from harness.core.errors import TargetUnreachableError, UsageError
from harness.load.analysis.arrival_findings import ArrivalFindings, as_json, plot
from harness.load.arrivals import searching
from harness.load.arrivals.searching import find_rate
from harness.load.terminal import Progress
from tests.load.locusts import free_port
from tests.support.serving import first_line_of

PATIENT = "lateness_p99_ms=60000"  # how late we are decides nothing
LATE = "lateness_p99_ms=150"  # of the objectives of these tests a small part
SHORT = {"step_seconds": "2", "settle_seconds": "0", "ramp_seconds": "0", "burst_size": "2", "seed": "7"}


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "CLOSE", 1.0)


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    program = [sys.executable, "-m", "tests.load.arrivals.limited"]
    with first_line_of(program, Path(__file__).parents[3]) as line:
        yield json.loads(line)


async def searched(url: str, tmp_path: Path, **texts: str | bool | list[str]) -> ArrivalFindings:
    """A search that is content with the first rate that broke: its edge is not these tests' affair.

    Once more where it says that this machine was too slow to tell.
    """
    given: dict[str, Any] = {
        **SHORT,
        "arrivals": True,
        "limits": [LATE],
        "reports": str(tmp_path),
        **texts,
    }
    for _ in range(3):
        found = await find_rate(url, given, read_options("capacity", given), Progress())
        if found.breaking is not None or found.saturated is None:
            break
    return found


async def scraped(url: str) -> str:
    """The metrics, once the first offer was answered."""
    text = ""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
        while "_count{" not in text:
            with contextlib.suppress(httpx.ConnectError):
                text = (await client.get(url)).text
            await asyncio.sleep(0.02)
    return text


async def test_a_blocked_event_loop_is_named(urls: dict[str, str], tmp_path: Path) -> None:
    # 40 ms an offer are 25 a second: of 60 a second for 2 s the last waits for nearly 3 s.
    found = await searched(
        urls["blocked"], tmp_path, start="3", most="60", step="57", slos=["SDP POST p95 < 1200ms"]
    )
    assert found.reason is not None
    assert found.reason.kind == "cpu", found.sentence
    assert "its event loop was blocked" in found.sentence
    assert found.verdict in ("holds", "breaks")


async def test_a_pool_of_ten_is_named_and_about_how_large_it_is(urls: dict[str, str], tmp_path: Path) -> None:
    # Ten at once for 0.4 s each are 25 a second.
    found = await searched(
        urls["pool"], tmp_path, start="5", most="50", step="45", slos=["SDP POST p95 < 1500ms"]
    )
    assert found.breaks is not None, found.sentence
    assert found.reason is not None
    assert found.reason.kind == "upstream", found.sentence
    assert "so its event loop was free" in found.sentence


async def test_memory_that_is_not_given_back_is_named(urls: dict[str, str], tmp_path: Path) -> None:
    found = await searched(urls["leak"], tmp_path, start="10", most="10", step_seconds="5")
    assert found.reason is not None, found.sentence
    assert found.reason.kind == "memory", found.sentence
    assert "its memory grew from" in found.sentence


@pytest.mark.parametrize(
    ("name", "how"), [("limiter", "with Retry-After: 1"), ("mute-limiter", "without Retry-After")]
)
async def test_a_rate_limiter_is_named_with_how_it_refuses(
    urls: dict[str, str], tmp_path: Path, name: str, how: str
) -> None:
    found = await searched(urls[name], tmp_path, start="40", most="40")
    assert found.breaks in (20, 40)
    assert found.reason is not None
    assert found.reason.kind == "rate-limiter", found.sentence
    assert f"429 {how}" in found.sentence
    assert found.steps[1].rate < 40, "what holds is looked for below"


async def test_calls_are_hung_up_at_their_location_and_a_cold_start_is_told_apart(
    urls: dict[str, str], tmp_path: Path
) -> None:
    # Once alone: a relay that was searched before is warm.
    port = free_port()
    scraping = asyncio.create_task(scraped(f"http://127.0.0.1:{port}/metrics"))
    found = await searched(
        urls["located"], tmp_path, start="5", most="5", limits=[PATIENT], metrics=f"127.0.0.1:{port}"
    )
    assert 'harness_load_stage_seconds_count{stage="SDP POST"}' in await scraping
    report = as_json(found)
    assert (report["holds"], report["verdict"]) == (5, "holds"), found.sentence
    assert set(report["release"]["released"]) == {"hung up at their Location"}
    assert report["release"]["left"] == {}
    assert report["cold_start"]["first_ms"] > 2500 > report["cold_start"]["warm_ms"]
    assert "cold start: the first offer took" in found.sentence
    assert report["samples"]["judged"] >= 1
    assert report["samples"]["failures"] == {}
    assert "offers a second" in str(plot(found))


async def test_what_cannot_be_released_is_said_and_at_the_fake_nothing_is_left(
    urls: dict[str, str], tmp_path: Path
) -> None:
    alone = await searched(urls["limiter"], tmp_path, start="3", most="3", spacing="constant")
    assert "calls were not released: their answers had no Location" in alone.sentence
    address = urls["fake"].removeprefix("http://")
    beside = await searched(
        urls["limiter"], tmp_path, start="3", most="3", spacing="constant", fake_openai=address
    )
    report = as_json(beside)
    assert report["release"]["left"] == {}
    assert report["release"]["released"]["ended at the fake"] == report["offers"]
    assert report["fake"]["distinct_ufrags"] == report["fake"]["offers"] == report["offers"]


async def test_what_cannot_be_searched_is_said(tmp_path: Path) -> None:
    with pytest.raises(TargetUnreachableError, match="nothing answered"):
        await searched("http://127.0.0.1:9/offer", tmp_path)
    with pytest.raises(UsageError, match="--start 9 is beyond --most 5"):
        await searched("http://127.0.0.1:9/offer", tmp_path, start="9", most="5")
    with pytest.raises(UsageError, match=r"--slo: .* is about a conversation, and nobody talks"):
        await searched("http://127.0.0.1:9/offer", tmp_path, slos=["first audio p95 < 2s"])
    with pytest.raises(UsageError, match="a WebSocket takes no offers"):
        await searched("ws://127.0.0.1:9/offer", tmp_path)


async def test_those_who_talk_are_measured_beside_the_offers(tmp_path: Path) -> None:
    """Against the embedded pair: its fake only answers prepared offers, and carries the calls of others."""
    found = await searched(
        "", tmp_path, start="5", most="5", talking="1", turns="1", step_seconds="14", settle_seconds="3"
    )
    report = as_json(found)
    talking = report["steps"][0]["talking"]
    assert report["holds"] == 5, found.sentence
    assert talking["ended"] >= 1
    assert talking["failed"] == 0
    assert talking["rows"]["first audio"]["count"] >= 1
    taken = report["offers"] - sum(report["refused"].values())
    assert report["release"]["released"] == {"ended at the fake": taken}, report["refused"]
