"""What `make test` runs: every part to its end, whatever the others say, and then what came of each.

The parts are under way at once. Tests of real conversations mostly wait, and must not be kept waiting: all
that only computes is nicer than they are, and takes what they leave of the cores.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
# Tests that make real conversations: they measure times, or wait for what takes its time.
TIMED = (
    "tests/call",
    "tests/cli",
    "tests/docs",
    "tests/fakes/faults",
    "tests/load",
    "tests/network/nat",
    "tests/plugin",
    "tests/system",
)
TIMED_AT_ONCE, OTHERS_AT_ONCE = 5, 2
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
        return f"  {self.part.name:<12} {self.seconds:4.0f} s  {outcome}"


def parts(arguments: Sequence[str] = ()) -> list[Part]:
    """Those of this project. `arguments` go to both halves of the tests, and may leave nothing of one."""
    passing = frozenset({0, NOTHING_SELECTED} if arguments else {0})
    others = [f"--ignore={folder}" for folder in TIMED]
    return [
        Part("timed tests", [_pytest(TIMED_AT_ONCE, *TIMED, *arguments)], passing, nice=False),
        Part("other tests", [_pytest(OTHERS_AT_ONCE, "tests", *others, *arguments)], passing),
        Part(
            "style",
            [_tool("ruff", "format", "--check", "--quiet", "."), _tool("ruff", "check", "--quiet", ".")],
        ),
        Part("types", [_tool("mypy")]),
        Part("floors", [_tool("lint-imports", "--no-logo")]),
    ]


def _tool(name: str, *arguments: str) -> list[str]:
    return [str(BIN / name), *arguments]


def _pytest(at_once: int, *arguments: str) -> list[str]:
    return _tool("pytest", "-q", f"-n{at_once}", "--dist=loadfile", *arguments)


async def run_all(listed: Sequence[Part]) -> list[Result]:
    """Run the parts side by side, print the output of each when it has ended, and give all results."""
    print(f"under way: {', '.join(part.name for part in listed)}", flush=True)  # noqa: T201  (a command)
    return list(await asyncio.gather(*(_run(part) for part in listed)))


async def _run(part: Part) -> Result:
    began, code, output = monotonic(), 0, b""
    for command in part.commands:
        process = await asyncio.create_subprocess_exec(
            *(("nice", "-n", "19") if part.nice else ()),
            *command,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        output, code = output + said, process.returncode or 0
        if code not in part.passing:
            break
    result = Result(part, code, monotonic() - began)
    told = output.decode("utf-8", "replace").rstrip()
    print(f"\n===== {part.name}\n{told}\n{result}", flush=True)  # noqa: T201
    return result


def summary(results: Sequence[Result]) -> str:
    """One line for each part, the failed ones last, where they are seen."""
    ordered = sorted(results, key=lambda result: not result.passed)
    verdict = "all passed" if all(r.passed for r in results) else "not all passed"
    return "\n".join([f"\n===== {verdict}", *map(str, ordered)])


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 where every part passed, 1 where one did not, 130 where it was interrupted."""
    try:
        results = asyncio.run(run_all(parts(arguments)))
    except KeyboardInterrupt:
        return INTERRUPTED
    print(summary(results))  # noqa: T201
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
