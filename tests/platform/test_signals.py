from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from harness.platform.loop import run_loop
from harness.platform.signals import ENDING, INTERRUPTING, handled, heeded, those_of


def test_signals_that_a_system_lacks_are_left_out() -> None:
    assert those_of("SIGTERM", "SIGNONE") == (signal.SIGTERM,)


def somebody(number: int, _frame: object) -> None:
    raise AssertionError(f"signal {number} was not for this handler")


@pytest.fixture
def handlers() -> Iterator[None]:
    """Those of before are there again afterwards, as when all of this runs under nohup."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("before", [signal.SIG_DFL, somebody])
@pytest.mark.usefixtures("handlers")
def test_a_signal_is_handled_in_the_loop_and_only_meanwhile(
    before: Callable[[int, object], None], either_way: bool
) -> None:
    for number in ENDING:
        signal.signal(number, before)

    async def told() -> list[str]:
        loop = asyncio.get_running_loop()
        came: asyncio.Queue[str] = asyncio.Queue()
        with handled(loop, ENDING, lambda: came.put_nowait("ended")):
            for number in ENDING:
                signal.raise_signal(number)
            async with asyncio.timeout(5):
                return [await came.get() for _ in ENDING]

    assert run_loop(told()) == ["ended"] * len(ENDING)
    assert {signal.getsignal(number) for number in ENDING} == {before}


@pytest.mark.usefixtures("handlers")
def test_what_nohup_has_us_ignore_stays_ignored(either_way: bool) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def told() -> list[signal.Signals]:
        came: list[signal.Signals] = []
        with handled(asyncio.get_running_loop(), ENDING, lambda: came.append(signal.SIGHUP)):
            signal.raise_signal(signal.SIGHUP)
            await asyncio.sleep(0.05)
        return came

    assert run_loop(told()) == []
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert heeded(INTERRUPTING) == [signal.SIGINT, signal.SIGTERM]


def test_what_begins_first_imports_next_to_nothing() -> None:
    """`harness.run.early` catches Ctrl-C while the rest is imported."""
    script = "import sys, harness.run.early; print('asyncio' in sys.modules, 'pydantic' in sys.modules)"
    said = subprocess.run([sys.executable, "-S", "-c", script], check=True, capture_output=True, text=True)
    assert said.stdout == "False False\n"
