"""`make attack`: try kind after kind until the time is up; exit code 1 where something got through.

    python -m tools.attack [SECONDS] [SEED] [--only PART]... [--not PART]... [--once]

Each attempt has a seed of its own, which a finding names: `--only KIND --once` with it repeats that attempt.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import random
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.core.printable import make_logs_printable, printable
from tools.attack import answers, calls, events, files, packets, secrets, servers, telling
from tools.attack.kinds import KINDS, Kind
from tools.attack.memory import Peaks

MODULES = (answers, calls, events, files, packets, secrets, servers, telling)
SECONDS = 1800.0
MOST_MEMORY = 300  # MiB in all
MOST_OF_AN_ATTEMPT = 100  # MiB beyond what there was before it
TOLD_OF_A_KIND = 8
BUSY = 3.0  # times as long as an attempt may work, it may take where others use the machine too
GRACE = 5.0  # seconds beyond what an attempt may take


class HungError(Exception):
    """An attempt that did not end by itself."""


@dataclass
class Tally:
    """What came of a kind."""

    inputs: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    findings: dict[str, list[str]] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)
    memory: Peaks = field(default_factory=Peaks)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(_signal: int, _frame: object) -> None:
        raise HungError(f"not over after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _attempt(kind: Kind, seed: str) -> int:
    rng = random.Random(seed)  # noqa: S311  (repeatable, not secret)
    with _alarm(BUSY * kind.within + GRACE):
        tried = kind.attempt(rng)
        if isinstance(tried, int):
            return tried

        async def bounded() -> int:
            async with asyncio.timeout(BUSY * kind.within):
                return await tried

        return asyncio.run(bounded())


def _where(error: BaseException) -> str:
    """The innermost line of ours, and the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/harness/" in f.filename]
    return ", ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in (*ours[-1:], *frames[-1:]))


def _attack(kinds: Sequence[Kind], seconds: float, seed: str, *, once: bool) -> Tally:
    tally = Tally()
    until = time.monotonic() + seconds
    spent = {kind.name: 0.0 for kind in kinds}
    number = 0
    while time.monotonic() < until:
        kind = min(kinds, key=lambda k: spent[k.name])  # each has its share of the time
        own = seed if once else f"{seed}/{kind.name}/{number}"
        number += 1
        tally.memory.begin()
        began, worked = time.monotonic(), time.process_time()
        try:
            tally.inputs[kind.name] += _attempt(kind, own)
        except KeyboardInterrupt:
            break
        except BaseException as error:
            told = printable(f"{type(error).__name__}: {error}"[:600])
            _tell(tally, kind, f"{told}  at {_where(error)}  --once --seed={own!r}")
        took = time.monotonic() - began
        worked = time.process_time() - worked
        if worked > kind.within:  # of the processor: the machine may have been busy
            _tell(tally, kind, f"took {worked:.1f} s  --once --seed={own!r}")
        spent[kind.name] += took
        tally.attempts[kind.name] += 1
        tally.slowest[kind.name] = max(took, tally.slowest.get(kind.name, 0.0))
        own_memory = tally.memory.end(kind.name)
        if own_memory > MOST_OF_AN_ATTEMPT:
            _tell(tally, kind, f"took {own_memory:.0f} MiB  --once --seed={own!r}")
        if number % 2000 == 0:
            gc.collect()
        if once:
            break
    return tally


def _tell(tally: Tally, kind: Kind, what: str) -> None:
    found = tally.findings.setdefault(kind.name, [])
    found.append(what)
    if len(found) <= TOLD_OF_A_KIND:
        sys.stderr.write(f"FOUND {kind.name}: {what}\n")


def main() -> int:
    """Attack, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tools.attack", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=SECONDS)
    parser.add_argument("seed", nargs="?", default="1")
    parser.add_argument("--seed", dest="own")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--not", dest="without", action="append", default=[])
    parser.add_argument("--once", action="store_true")
    asked = parser.parse_args()
    chosen = [
        k
        for k in KINDS.values()
        if (not asked.only or any(part in k.name for part in asked.only))
        and not any(part in k.name for part in asked.without)
    ]
    make_logs_printable()
    warnings.simplefilter("error", ResourceWarning)
    tally = _attack(chosen, asked.seconds, asked.own or asked.seed, once=asked.once)
    sys.stdout.write(
        f"{'kind':<36} {'inputs':>9} {'attempts':>8} {'findings':>8} {'slowest':>9} "
        f"{'an attempt':>11} {'peak':>8}\n"
    )
    for kind in chosen:
        n = kind.name
        sys.stdout.write(
            f"{n:<36} {tally.inputs[n]:>9} {tally.attempts[n]:>8} {len(tally.findings.get(n, ())):>8} "
            f"{tally.slowest.get(n, 0):>7.1f} s {tally.memory.own.get(n, 0):>7.0f} MiB "
            f"{tally.memory.whole.get(n, 0):>4.0f} MiB\n"
        )
    findings = sum(map(len, tally.findings.values()))
    peak = max(tally.memory.whole.values(), default=0)
    sys.stdout.write(
        f"{sum(tally.inputs.values())} inputs, {findings} findings, peak memory {peak:.0f} MiB "
        f"(may be {MOST_MEMORY})\n"
    )
    return 1 if findings or peak > MOST_MEMORY else 0


if __name__ == "__main__":
    sys.exit(main())
