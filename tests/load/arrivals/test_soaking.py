"""A steady rate of offers for long: what drifts, leaks or fails in it, and whose it is."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.config.option_texts import read_options
from harness.core.errors import TargetUnreachableError, UsageError
from harness.load.analysis import drift
from harness.load.analysis.drift import LIVE, TAIL, SoakFindings, as_json, plot
from harness.load.analysis.trend import Tolerance
from harness.load.arrivals import soaking
from harness.load.arrivals.soaking import hold_rate
from harness.load.terminal import Progress
from tests.load.arrivals.test_arriving import ANSWER
from tests.support.programs import ending_with_us
from tests.support.serving import first_line_of

PATIENT = "lateness_p99_ms=60000"  # how late we are decides nothing
SHORT = {"seconds": "6s", "rate": "20", "spacing": "constant", "ramp_seconds": "0", "seed": "7"}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples enough for a trend, in seconds."""
    monkeypatch.setattr(soaking, "SHORTEST_SAMPLE", 0.25)


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    program = [sys.executable, "-m", "tests.load.arrivals.limited"]
    with first_line_of(program, Path(__file__).parents[3]) as line:
        yield json.loads(line)


async def held(url: str, tmp_path: Path, **texts: str | bool | list[str]) -> SoakFindings:
    given: dict[str, Any] = {
        **SHORT,
        "arrivals": True,
        "limits": [PATIENT],
        "slos": ["SDP POST p95 < 60s", "failures < 1%"],
        "reports": str(tmp_path),
        **texts,
    }
    return await hold_rate(url, given, read_options("soak", given), Progress())


@asynccontextmanager
async def slowing(by: float) -> AsyncIterator[str]:
    """A relay that answers each offer `by` seconds later than the one before."""
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            served += 1
            number = served
            await asyncio.sleep(by * number if head.startswith(b"POST") else 0)
            answer = ANSWER.format(name=f"{number:08d}").encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    async def until_cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(until_cut, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/offer"


async def test_a_steady_rate_is_counted_at_the_fake_and_nothing_is_left(
    urls: dict[str, str], tmp_path: Path
) -> None:
    address = urls["fake"].removeprefix("http://")
    found = await held(urls["located"], tmp_path, fake_openai=address, decode_share="0.05")
    report = json.loads(json.dumps(as_json(found)))
    assert found.first_failure == ""
    # 20 a second for 6 s, the first after 0.05 s.
    assert (report["ended"], report["failed"]) == (119, 0), found.sentence
    assert report["offers"] == 120, "and one before"
    assert report["fake"]["offers"] == report["fake"]["distinct_ufrags"] == 120
    assert report["release"] == {"released": {"hung up at their Location": 120}, "left": {}}, found.sentence
    assert report["unit"] == "offers a second"
    assert [each["kept"] for each in report["slos"]] == [True, True]
    series = report["series"]
    assert {"SDP POST", "memory", "descriptors", "the target's memory", "the fake's memory", LIVE} <= {
        *series
    }
    assert len(series["SDP POST"]["points"]) >= 20
    assert "offers ended in 0.1 min, 0 failed" in found.sentence
    assert "Median of every stage at 20 offers a second" in str(plot(found))


async def test_a_relay_that_slows_down_drifts(tmp_path: Path) -> None:
    async with slowing(0.01) as url:
        found = await held(url, tmp_path, decode_share="0")
    assert "SDP POST" in found.rising(), found.sentence
    assert found.verdict == "violating"
    assert "SDP POST rose by" in found.sentence
    assert TAIL not in found.trends(), "there are no 20 offers in a quarter of a second"


async def test_memory_that_is_not_given_back_is_the_targets(
    urls: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = ("MiB", Tolerance(10.0, 0.10))
    monkeypatch.setitem(drift.ALL, "the target's memory", at_once)
    found = await held(urls["leak"], tmp_path)
    assert "the target's memory" in found.rising(), found.sentence
    assert found.verdict == "violating"
    assert "the target's memory rose by" in found.sentence


async def test_an_objective_that_is_not_kept_is_a_violation_and_says_by_how_much(
    urls: dict[str, str], tmp_path: Path
) -> None:
    found = await held(urls["limiter"], tmp_path, seconds="3s", slos=["failures < 5%"])
    assert found.verdict == "violating"
    assert "failures was" in found.sentence
    assert "times SDP POST: signaling.offer-accepted: status 429" in found.sentence


async def test_those_who_talk_are_rows_beside_the_offers(tmp_path: Path) -> None:
    found = await held("", tmp_path, seconds="14s", rate="5", talking="1", turns="1")
    report = as_json(found)
    assert {"DC open", "first audio"} <= {*report["series"]}, found.sentence
    assert {each["slo"] for each in report["slos"]} >= {"failures < 1%", "SDP POST p95 < 60s"}
    assert len(report["slos"]) == 3, "failures of offers, and of those who talk"
    assert report["failures"] == []


async def test_what_cannot_be_soaked_is_said(tmp_path: Path) -> None:
    with pytest.raises(TargetUnreachableError, match="nothing answered"):
        await held("http://127.0.0.1:9/offer", tmp_path)
    with pytest.raises(UsageError, match="a WebSocket takes no offers"):
        await held("ws://127.0.0.1:9/offer", tmp_path)
    with pytest.raises(UsageError, match=r"--slo: .* is about a conversation, and nobody talks"):
        await held("http://127.0.0.1:9/offer", tmp_path, slos=["first audio p95 < 2s"])


def test_ctrl_c_gives_what_was_learned_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness", "soak", "--arrivals", "--rate=10", "--for=1h"]
    # A sample a minute; metrics tell when it is under way.
    with subprocess.Popen(
        ending_with_us([*command, f"--limit={PATIENT}", f"--reports={tmp_path}"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as soak:
        assert soak.stdout is not None
        assert soak.stdout.readline().startswith("target http://127.0.0.1:")
        assert soak.stdout.readline().startswith("seed ")
        assert soak.stdout.readline() == "10 offers a second for 3600 s, looked at every 60 s\n"
        children = psutil.Process(soak.pid).children(recursive=True)
        assert children, "the embedded pair"
        soak.send_signal(signal.SIGINT)
        out, err = soak.communicate(timeout=60)
    assert (soak.returncode, err) == (130, ""), out + err
    report = json.loads((tmp_path / "soak.json").read_text())
    assert report["interrupted"] is True
    assert report["calls"] == 10
    assert report["release"]["left"] == {}
    assert report["sentence"] in out
    assert "10 offers a second" in (tmp_path / "soak.html").read_text()
    assert not [child for child in children if child.is_running()]
