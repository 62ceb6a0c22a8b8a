"""Find each relay's limit three times by `harness capacity --arrivals`, and by wrk in between: `make limits`.

It takes half an hour, and fifty minutes at most: what is not found by then is said to be missing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from harness.core.clock import MonotonicClock, wall_time
from harness.core.dialects import DIALECTS
from harness.fakes.relay.settings import SESSION_PATH
from harness.load.arrivals.offers import PreparedOffers
from harness.signaling.dialects import wrap
from tools.limits.page import FOUND, RUNS, misses

HERE = Path(__file__).parent
UPSTREAM = [sys.executable, "-m", "tools.limits.upstream"]
RELAYS: Mapping[str, tuple[str, ...]] = {
    "Node (node:http, fetch)": ("node", str(HERE / "relay.mjs"), "{upstream}"),
    "uvicorn (Starlette, httpx)": (sys.executable, "-m", "tools.limits.asgi_relay", "{upstream}"),
    "the reference relay": (
        *(sys.executable, "-m", "harness", "relay", "--bind", "127.0.0.1:0", "--upstream", "{upstream}"),
    ),
}
MOST_SECONDS = 3000.0  # all of it
LONGEST_RUN = 400.0  # s, of one search
END_SECONDS = 20.0  # for a program that was asked to end
STEP_SECONDS, WARM_SECONDS, WRK_SECONDS, CONNECTIONS = 10, 3, 10, 32
MOST_LOST = 0.01  # of what was answered: as `failures < 1%`
OFFERS = 500  # in wrk's file
FIRST_RATE = 50
URL = re.compile(r"http://\S+")


class Deadline:
    """What is left of the time that all of it may take."""

    def __init__(self, seconds: float) -> None:
        self._clock = MonotonicClock()
        self._at = self._clock.now() + seconds

    def left(self, most: float) -> float:
        """Seconds for a part that may take so many; 0 where it need not begin."""
        return min(most, max(0.0, self._at - self._clock.now()))


def measure(name: str, wrk: str, bodies: Path, deadline: Deadline, runs: int) -> dict[str, Any]:
    """A relay's row. What goes wrong is said in it, and the others go on."""
    row: dict[str, Any] = {"holds": [], "reasons": [], "wrk": [], "wrong": []}
    try:
        for _ in range(runs):
            # Each run has a relay of its own: what a search has driven beyond its limit is not as it was.
            with relay(name) as url:
                _by_wrk(wrk, url, bodies, deadline, WARM_SECONDS, lost=1.0)
                row["wrk"].append(_by_wrk(wrk, url, bodies, deadline))
                _say(f"  wrk: {row['wrk'][-1]:.0f} a second")
                found = _by_us(url, max(row["holds"], default=0), deadline)
                row["holds"].append(found["holds"])
                row["reasons"].append((found["reason"] or {}).get("kind", "nothing found"))
                _say(f"  ours: {found['sentence'][:160]}")
                if found["interrupted"] or found["verdict"] == "inconclusive":
                    how = "cut short" if found["interrupted"] else "inconclusive"
                    row["wrong"].append(f"run {len(row['holds'])} was {how}")
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        row["wrong"].append(f"not measured to the end: {type(error).__name__}: {str(error)[:120]}")
        _say(f"  {row['wrong'][-1]}")
    return row


@contextmanager
def relay(name: str) -> Iterator[str]:
    """Where one takes offers, with an upstream of its own."""
    with (
        _serving(UPSTREAM, _others()) as upstream,
        _serving([word.format(upstream=upstream) for word in RELAYS[name]], _relays()) as url,
    ):
        yield url if url.endswith("/offer") else f"{url}{SESSION_PATH}"


def _by_us(url: str, before: int, deadline: Deadline) -> dict[str, Any]:
    """capacity.json. After the first run the search begins near what that found, and finds its own edge."""
    pace: tuple[str, ...] = ("--start", str(FIRST_RATE))
    if before:
        pace = ("--start", str(round(0.75 * before) or 1), "--step", str(before // 10 or 1))
    with tempfile.TemporaryDirectory() as reports:
        command = [
            *(sys.executable, "-m", "harness", "capacity", url, "--arrivals", *pace),
            *("--slo", "SDP POST p95 < 250ms", "--slo", "failures < 1%", "--reports", reports),
            *("--step-seconds", str(STEP_SECONDS), "--settle-seconds", "1", "--ramp-seconds", "1"),
            *("--burst-size", "5", "--decode-share", "0"),
        ]
        with subprocess.Popen(_on(_others(), command), stdout=subprocess.DEVNULL) as search:  # noqa: S603  (ours)
            try:
                search.wait(_time_for(deadline, LONGEST_RUN))
            except subprocess.TimeoutExpired:
                search.send_signal(signal.SIGINT)  # it says what it learned
            finally:
                _end(search)
        found: dict[str, Any] = json.loads((Path(reports) / "capacity.json").read_text())
    return found


def _by_wrk(
    wrk: str, url: str, bodies: Path, deadline: Deadline, seconds: int = WRK_SECONDS, lost: float = MOST_LOST
) -> float:
    """Answered a second. Raises ValueError where more than this part were not."""
    program = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "offers.lua"), url]
    said = subprocess.run(  # noqa: S603  (wrk)
        _on(_others(), [*program, "--", str(bodies)]),
        check=True,
        capture_output=True,
        text=True,
        timeout=_time_for(deadline, seconds + 20),
    ).stdout
    found = json.loads(said.partition("found ")[2].splitlines()[0])
    if found["refused"] + found["lost"] > lost * found["answered"]:
        raise ValueError(f"wrk had {found['refused']} refused and {found['lost']} lost")
    return round(float(found["answered"]) / float(found["seconds"]), 1)


@contextmanager
def _serving(command: list[str], cores: str) -> Iterator[str]:
    """The URL that a program says first. It ends with us, since its input does, or is ended."""
    environment = {**os.environ, "OPENAI_API_KEY": "sk-of-nobody"}
    with subprocess.Popen(  # noqa: S603  (ours, and Node)
        _on(cores, command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            found = URL.search(process.stdout.readline())
            if found is None:
                raise ValueError(f"{command[0]} did not say where it listens")
            yield found.group()
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.terminate()
            _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    """It has been asked to end; kill it where it does not."""
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _on(cores: str, command: list[str]) -> list[str]:
    """A relay has a core of its own, where there are two: what is found is then its own limit."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", cores, *command] if taskset and len(_allowed()) > 1 else command


def _allowed() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def _relays() -> str:
    return str(_allowed()[0])


def _others() -> str:
    return ",".join(map(str, _allowed()[1:]))


def _time_for(deadline: Deadline, most: float) -> float:
    left = deadline.left(most)
    if left <= 1:
        raise ValueError("its time was over")
    return left


def _write_bodies(path: Path) -> None:
    offers = PreparedOffers("chromium", random.Random(1))  # noqa: S311  (nobody's secrets)
    drawn = (wrap(DIALECTS["json"], offers.draw().sdp, {}).content.decode() for _ in range(OFFERS))
    path.write_text("\n".join(drawn) + "\n", encoding="utf-8")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Measure, write what was found; exit 1 where something is not as it should be, 2 for what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--relay", action="append", choices=list(RELAYS), help="only these; nothing is kept")
    parser.add_argument("--runs", type=int, default=RUNS, help="fewer: a try, of which nothing is kept")
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="that all of it may take")
    options = parser.parse_args()
    wrk = shutil.which("wrk")
    for program, path in (("wrk", wrk), ("node", shutil.which("node"))):
        if path is None:
            _say(
                f"{program} is not installed. On Debian: apt-get install {program.replace('node', 'nodejs')}"
            )
            return 2
    assert wrk is not None
    deadline, rows = Deadline(options.seconds), {}
    load = psutil.getloadavg()[0]
    _say(f"load average {load:.1f} on {len(_allowed())} cores" + (", which is not quiet" if load > 1 else ""))
    with tempfile.TemporaryDirectory() as folder:
        bodies = Path(folder) / "offers.jsonl"
        _write_bodies(bodies)
        for name in options.relay or RELAYS:
            _say(name)
            rows[name] = measure(name, wrk, bodies, deadline, options.runs)
    machine = f"{len(_allowed())} cores, load average {load:.1f} before"
    steps = f"steps of {STEP_SECONDS} s, the edge known to 5 % and offered twice"
    how = {"steps": steps, "wrk_seconds": WRK_SECONDS}
    found = {"date": wall_time()[:10], "machine": machine, **how, "relays": rows}
    if options.relay is None and options.runs == RUNS:
        FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    wrong = {name: said for name, row in rows.items() if (said := misses(row))}
    for name, said in wrong.items():
        _say(f"{name}: {'; '.join(said)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
