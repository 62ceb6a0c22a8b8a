"""What `make test` runs: every part to its end, whatever the others say, and then what came of each.

The parts are under way at once. Tests of real conversations mostly wait, and must not be kept waiting: all
else is nicer than they are, and takes what they leave of the cores.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psutil

from tests.support.preloaded import SHARED
from tests.support.programs import ending_with_us

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
# Tests that make real conversations: they measure times, or wait for what takes its time. Each of these lanes
# is one pytest, so that what a lane starts serves all of its tests; the longest begin first.
PLANTED = "tests/system/test_planted_faults.py"
TIMED = {
    "load": ("tests/load", "--ignore=tests/load/arrivals"),
    "system": ("tests/system", f"--ignore={PLANTED}"),
    "arrivals": ("tests/load/arrivals",),
    "doors": (
        *("tests/cli", "tests/fakes/openai/faults", "tests/fakes/openai/workers"),
        *("tests/network/nat", "tests/tools/transports"),
    ),
    "planted": (PLANTED,),
    "plugin": ("tests/plugin",),
    "call": ("tests/call", "tests/run"),
    "docs": ("tests/docs",),
    "browser": ("tests/browser",),
}
# Tests of what is installed apart: `make test-clients` and `make test-wheel`.
ELSEWHERE = ("tests/clients", "tests/product")
TIMED_PER_CORE = 2.5  # lanes at once: they mostly wait, and still would keep each other waiting
LOOK_SECONDS = 1.0  # to see what other programs leave of the cores
NICE = "10"  # a tenth of the share of others: enough not to starve, and to be late for nothing
# Says at the end of each output what the command cost, with all that it started: two cores are soon full.
WITH_CPU_TIME = ("bash", "-c", 'TIMEFORMAT="%R s, of them %U + %S s of CPU"; time "$@"', "-")
NOTHING_SELECTED = 5  # pytest's own exit code
INTERRUPTED = 130


@dataclass(frozen=True)
class Part:
    """Commands that run one after the other, up to the first that fails.

    `passing`: exit codes that are no failure; `nice`: whether it gives way to parts that are not.
    """

    name: str
    commands: Sequence[Sequence[str]]
    passing: frozenset[int] = frozenset({0})
    nice: bool = True


@dataclass(frozen=True)
class Result:
    """The exit code of the last command that ran, and how many seconds the part took."""

    part: Part
    code: int
    seconds: float

    @property
    def passed(self) -> bool:
        return self.code in self.part.passing

    def __str__(self) -> str:
        outcome = "passed" if self.passed else f"FAILED, exit code {self.code}"
        return f"  {self.part.name:<10} {self.seconds:4.0f} s  {outcome}"


def free_cores() -> float:
    """How many cores are idle, as seen for a moment; one at least, for something must go on."""
    cores = int(psutil.cpu_count() or 1)
    busy = float(psutil.cpu_percent(LOOK_SECONDS)) / 100
    return max(1.0, cores * (1 - busy))


def parts(arguments: Sequence[str] = (), free: float = 2.0) -> list[Part]:
    """Those of this project, for so many free cores.

    `arguments` go to all that is pytest, and may leave nothing of one.
    """
    passing = frozenset({0, NOTHING_SELECTED} if arguments else {0})
    timed = [Part(name, [_pytest(*what, *arguments)], passing, nice=False) for name, what in TIMED.items()]
    ours = [each for what in TIMED.values() for each in what if not each.startswith("-")]
    elsewhere = [f"--ignore={each}" for each in (*ours, *ELSEWHERE)]
    side_by_side = (f"-n{round(free)}", "--dist=loadfile")
    return [
        *timed,
        Part("all others", [_pytest("tests", *elsewhere, *side_by_side, *arguments)], passing),
        Part("types", [_tool("mypy")]),
        Part("style", [_tool("ruff", "format", "--check", "-q", "."), _tool("ruff", "check", "-q", ".")]),
        Part("floors", [_tool("lint-imports", "--no-logo")]),
    ]


def _tool(name: str, *arguments: str) -> list[str]:
    return [str(BIN / name), *arguments]


def _pytest(*arguments: str) -> list[str]:
    return _tool("pytest", "-q", *arguments)


async def run_all(
    listed: Sequence[Part], free: float = 2.0, environment: Mapping[str, str] | None = None
) -> list[Result]:
    """Run the parts side by side, print the output of each when it has ended, and give all results.

    Of those that are not nice, TIMED_PER_CORE at once for each free core.
    """
    at_once = max(1, round(TIMED_PER_CORE * free))
    _say(f"under way: {', '.join(part.name for part in listed)}; {at_once} timed at once")
    places = asyncio.Semaphore(at_once)

    async def run(part: Part) -> Result:
        async with nullcontext() if part.nice else places:
            result, output = await _run(part, environment)
        _say(f"\n===== {part.name}\n{output}\n{result}")
        return result

    return list(await asyncio.gather(*map(run, listed)))


async def _run_suite(listed: Sequence[Part], free: float) -> list[Result]:
    async with _preloaded() as address:
        return await run_all(listed, free, {**os.environ, SHARED: address})


@asynccontextmanager
async def _preloaded() -> AsyncIterator[str]:
    """Where the process is that programs under test are forked from, for all parts."""
    process = await asyncio.create_subprocess_exec(
        *ending_with_us([sys.executable, "-m", "tests.support.preloaded"]),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.stdin.close()
        await process.wait()


async def _run(part: Part, environment: Mapping[str, str] | None) -> tuple[Result, str]:
    began, code, output = monotonic(), 0, b""
    for command in part.commands:
        process = await asyncio.create_subprocess_exec(
            *(("nice", "-n", NICE) if part.nice else ()),
            *ending_with_us([*WITH_CPU_TIME, *ending_with_us(command)]),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        output, code = output + said, process.returncode or 0
        if code not in part.passing:
            break
    return Result(part, code, monotonic() - began), output.decode("utf-8", "replace").rstrip()


def summary(results: Sequence[Result], seconds: float) -> str:
    """How it ended, in how long, and a line for each part, the failed ones last, where they are seen."""
    ordered = sorted(results, key=lambda result: not result.passed)
    verdict = "all passed" if all(r.passed for r in results) else "not all passed"
    minutes, rest = divmod(round(seconds), 60)
    return "\n".join([f"\n===== {verdict}, in {minutes} min {rest} s", *map(str, ordered)])


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 where every part passed, 1 where one did not, 130 where it was interrupted."""
    began = monotonic()
    try:
        free = free_cores()
        results = asyncio.run(_run_suite(parts(arguments, free), free))
    except KeyboardInterrupt:
        return INTERRUPTED
    _say(summary(results, monotonic() - began))
    return 0 if all(result.passed for result in results) else 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  (a command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
