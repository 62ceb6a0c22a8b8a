from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

from harness.platform.loop import run_loop
from harness.platform.signals import ENDING, handled, those_of


def test_signals_that_a_system_lacks_are_left_out() -> None:
    assert those_of("SIGTERM", "SIGNONE") == (signal.SIGTERM,)


def test_a_signal_is_handled_in_the_loop_and_only_meanwhile(either_way: bool) -> None:
    before = {number: signal.getsignal(number) for number in ENDING}

    async def told() -> list[str]:
        loop = asyncio.get_running_loop()
        came: asyncio.Queue[str] = asyncio.Queue()
        with handled(loop, ENDING, lambda: came.put_nowait("ended")):
            for number in ENDING:
                signal.raise_signal(number)
            async with asyncio.timeout(5):
                return [await came.get() for _ in ENDING]

    assert run_loop(told()) == ["ended"] * len(ENDING)
    assert {number: signal.getsignal(number) for number in ENDING} == before


def test_what_begins_first_imports_next_to_nothing() -> None:
    """`harness.run.early` catches Ctrl-C while the rest is imported."""
    script = "import sys, harness.run.early; print('asyncio' in sys.modules, 'pydantic' in sys.modules)"
    said = subprocess.run([sys.executable, "-S", "-c", script], check=True, capture_output=True, text=True)
    assert said.stdout == "False False\n"
