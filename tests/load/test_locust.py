from __future__ import annotations

import contextlib
import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pytest

from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.load.analysis.rows import CALL, ROWS
from harness.load.arrivals.offers import PREFIX
from tests.load import locusts

STAGES = (
    "SDP POST",
    "ICE connected",
    "DC open",
    "session.update",
    "turn detected",
    "first audio",
    "whole turn",
)


@pytest.fixture(scope="module")
def pair() -> Iterator[EmbeddedPair]:
    """Its replies are short, so that calls are."""
    with EmbeddedPair(EmbeddedOptions(vad="webrtc", voice="recorded:en-m-yes")) as pair:
        yield pair


def test_a_failure_names_requirement_and_cause_in_the_row_of_its_stage(tmp_path: Path) -> None:
    code, rows, failures = locusts.run(
        tmp_path, "--users=1", "--calls=1", "--host=http://127.0.0.1:9/offer", "SteadyCaller"
    )
    assert code == 1
    assert rows["SDP POST"]["Failure Count"] == rows["call"]["Failure Count"] != "0"
    assert "SDP POST,CallFailed('signaling.offer-accepted: unreachable')" in failures
    kept = list((tmp_path / "reports" / "load" / "calls").glob("*/timeline.jsonl"))
    assert kept, "a failed call keeps its evidence"


@pytest.mark.parametrize("calls_by", ["itself", "a worker"])
def test_a_dead_call_process_is_replaced_and_what_was_measured_is_no_proof(
    tmp_path: Path, pair: EmbeddedPair, calls_by: str
) -> None:
    port = str(locusts.free_port())
    as_master = ("--master", "--master-bind-host=127.0.0.1", f"--master-bind-port={port}")
    with ExitStack() as stack:
        caller = locust = stack.enter_context(
            locusts.started(
                tmp_path,
                "--headless",
                "--users=1",
                "--calls=2",
                f"--csv={tmp_path / 'load'}",
                f"--host={pair.offer_url}",
                "--turns=1",
                *locusts.PATIENT,
                *(as_master if calls_by == "a worker" else ()),
                "SteadyCaller",
            )
        )
        if calls_by == "a worker":
            worker = locusts.started(tmp_path, "--worker", f"--master-port={port}", "SteadyCaller")
            caller = stack.enter_context(worker)
        first = locusts.call_process(caller)
        _until(lambda: _json(f"{pair.fake}/_fake/health").get("live") == 1)
        first.kill()
        first.wait(10)  # until then it is still there to be found
        second = locusts.call_process(caller)
        assert second.pid != first.pid
        assert locust.wait(60) == 4
    assert "inconclusive: the call process died (signal 9)" in locusts.logged(tmp_path)
    failures = (tmp_path / "load_failures.csv").read_text()
    assert "the call process died (signal 9), and its calls with it" in failures
    assert locusts.rows(tmp_path)["call"]["Failure Count"] == "1"
    assert int(locusts.rows(tmp_path)["whole turn"]["Request Count"]) >= 1, "the next call was made"


def test_a_master_and_two_workers_share_the_calls_and_every_stage_is_a_row(
    tmp_path: Path, pair: EmbeddedPair
) -> None:
    port = locusts.free_port()
    worker = ("--worker", f"--master-port={port}")
    callers = ("SteadyCaller", "ReconnectingCaller")
    with (
        locusts.started(
            tmp_path,
            "--master",
            f"--master-bind-port={port}",
            "--master-bind-host=127.0.0.1",
            "--expect-workers=2",
            "--headless",
            "--users=4",
            "--spawn-rate=4",
            "--calls=6",
            "--turns=1",
            f"--host={pair.offer_url}",
            f"--csv={tmp_path / 'load'}",
            *locusts.PATIENT,
            *callers,
        ) as master,
        locusts.started(tmp_path, *worker, *callers) as one,
        locusts.started(tmp_path, *worker, *callers) as other,
    ):
        assert master.wait(90) == 0, locusts.logged(tmp_path)
        assert [one.wait(40), other.wait(40)] == [0, 0]
    rows = locusts.rows(tmp_path)
    assert rows.keys() == {*ROWS, CALL, "Aggregated"}
    assert int(rows["DC open"]["Request Count"]) >= 4
    assert rows["call"]["Failure Count"] == "0"
    assert "the generator had 4 calls at most" in locusts.logged(tmp_path)


@pytest.mark.timeout(240)  # nine processes start
def test_a_master_and_four_workers_send_offers_beside_conversations_and_the_rows_add_up(
    tmp_path: Path, pair: EmbeddedPair
) -> None:
    _reset(pair)
    port = locusts.free_port()
    worker = ("--worker", f"--master-port={port}")
    with ExitStack() as stack:
        master = stack.enter_context(
            locusts.started(
                tmp_path,
                "--master",
                f"--master-bind-port={port}",
                "--master-bind-host=127.0.0.1",
                "--expect-workers=4",
                "--headless",
                "--users=8",
                "--spawn-rate=8",
                '--config-users={"user_class_name": "OfferCaller", "fixed_count": 4}',
                "--offer-every=0.5",
                "--calls=4",
                "--turns=1",
                f"--host={pair.offer_url}",
                f"--fake-openai={pair.fake.removeprefix('http://')}",
                "--slo=failures < 1%",
                "--slo=offer p95 < 10s",
                f"--csv={tmp_path / 'load'}",
                *locusts.PATIENT,
                "OfferCaller",
                "SteadyCaller",
            )
        )
        workers = [stack.enter_context(locusts.started(tmp_path, *worker)) for _ in range(4)]
        senders = [locusts.process_of(worker, "harness.load.arrivals.ordered") for worker in workers]
        assert master.wait(100) == 0, locusts.logged(tmp_path)
        assert [worker.wait(40) for worker in workers] == [0] * 4
    assert not [sender for sender in senders if sender.is_running()]
    rows = locusts.rows(tmp_path)
    calls = _json(f"{pair.fake}/_fake/calls?events=0")["calls"]
    alone = [call for call in calls if call["ufrag"].startswith(PREFIX)]
    assert int(rows["offer"]["Request Count"]) == len(alone) >= 8, locusts.logged(tmp_path)
    # Those that were in a call at the end hung up, and have no row.
    conversations = int(rows["SDP POST"]["Request Count"])
    assert 4 <= conversations <= len(calls) - len(alone) <= conversations + 4
    assert {name: row["Failure Count"] for name, row in rows.items()} == dict.fromkeys(rows, "0")
    assert _json(f"{pair.fake}/_fake/health")["live"] == 0
    assert "were not released" not in locusts.logged(tmp_path)
    assert "kept offer p95 < 10s" in locusts.logged(tmp_path)


def test_the_process_that_sends_offers_is_replaced_and_failures_have_their_words(tmp_path: Path) -> None:
    with locusts.started(
        tmp_path,
        "--headless",
        "--users=1",
        "--run-time=25s",
        f"--csv={tmp_path / 'load'}",
        "--offer-every=0.2",
        "--host=http://127.0.0.1:9/offer",
        *locusts.PATIENT,
        "OfferCaller",
    ) as locust:
        first = locusts.process_of(locust, "harness.load.arrivals.ordered")
        _until(lambda: "offer" in _rows_so_far(tmp_path))
        first.kill()
        first.wait(10)
        assert locusts.process_of(locust, "harness.load.arrivals.ordered").pid != first.pid
        assert locust.wait(60) == 4  # what was lost with the first is no finding about the target
    failures = (tmp_path / "load_failures.csv").read_text()
    assert "signaling.offer-accepted: nobody listens" in failures
    assert "the offers' process died (signal 9), and its offers with it" in failures


def test_who_names_no_caller_has_calls_alone(tmp_path: Path, pair: EmbeddedPair) -> None:
    code, rows, failures = locusts.run(
        tmp_path, "--users=9", "--spawn-rate=9", "--calls=1", "--turns=1", f"--host={pair.offer_url}"
    )
    assert code == 0, failures
    assert "offer" not in rows, "one of nine would send offers"


@pytest.mark.timeout(240)  # four processes start, one after the other
def test_offers_go_to_the_pair_of_the_calls_where_nobody_gives_a_host(tmp_path: Path) -> None:
    with locusts.started(
        tmp_path,
        *("--headless", "--users=2", "--spawn-rate=2", "--turns=1", f"--csv={tmp_path / 'load'}"),
        '--config-users={"user_class_name": "OfferCaller", "fixed_count": 1}',
        *locusts.PATIENT,
        *("OfferCaller", "SteadyCaller"),
    ) as locust:
        _until(lambda: {"offer", "SDP POST"} <= _rows_so_far(tmp_path).keys(), within=150)
        pairs = [
            child
            for child in psutil.Process(locust.pid).children(recursive=True)
            if "harness.fakes.embedded_child" in child.cmdline()
        ]
        locust.send_signal(signal.SIGINT)
        assert locust.wait(60) == 0, locusts.logged(tmp_path)
    assert len(pairs) == 1
    assert locusts.rows(tmp_path)["offer"]["Failure Count"] == "0"


def test_the_web_interface_starts_a_test_and_tells_of_the_generator(
    tmp_path: Path, pair: EmbeddedPair
) -> None:
    port, apart = locusts.free_port(), locusts.free_port()
    base = f"http://127.0.0.1:{port}"
    with locusts.started(
        tmp_path,
        "--web-host=127.0.0.1",
        f"--web-port={port}",
        f"--metrics=127.0.0.1:{apart}",
        *locusts.PATIENT,
        "SteadyCaller",
    ) as locust:
        _until(lambda: "calls" in _json(f"{base}/generator"))
        form = f"user_count=1&spawn_rate=1&host={pair.offer_url}".encode()
        assert json.load(urllib.request.urlopen(f"{base}/swarm", form))["success"]
        _until(lambda: _json(f"{base}/generator").get("calls") == 1)
        for scraped in (base, f"http://127.0.0.1:{apart}"):
            with urllib.request.urlopen(f"{scraped}/metrics") as answer:
                assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                assert "harness_load_under_way 1\n" in answer.read().decode()
        _until(lambda: "DC open" in [row["stage"] for row in _voice_rows(base)])
        with urllib.request.urlopen(f"{base}/") as page:
            assert "voice-banner.js" in page.read().decode()
        locust.terminate()
        assert locust.wait(40) in (0, 1)


def test_what_no_call_could_be_made_with_is_said_before_the_first(tmp_path: Path) -> None:
    with locusts.started(tmp_path, "--headless", "--host=http://127.0.0.1:9", "--dialect=jsom") as locust:
        assert locust.wait(30) == 2
    assert "there is no dialect 'jsom'" in locusts.logged(tmp_path)


def _voice_rows(base: str) -> list[dict[str, Any]]:
    """What the tab shows: the stages in the order of a call."""
    (table,) = _json(f"{base}/stats/requests")["extendedStats"]
    rows: list[dict[str, Any]] = table["data"]
    assert [row["stage"] for row in rows] == [n for n in (*ROWS, CALL) if n in {r["stage"] for r in rows}]
    return rows


def _reset(pair: EmbeddedPair) -> None:
    request = urllib.request.Request(f"{pair.fake}/_fake/reset", b"{}", {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def _rows_so_far(cwd: Path) -> dict[str, dict[str, str]]:
    with contextlib.suppress(OSError):
        return locusts.rows(cwd)
    return {}


def _json(url: str) -> Any:
    with contextlib.suppress(OSError), urllib.request.urlopen(url) as answer:
        return json.load(answer)
    return {}


def _until(holds: Callable[[], bool], within: float = 40) -> None:
    deadline = monotonic() + within
    while not holds():
        assert monotonic() < deadline
        sleep(0.1)
