from __future__ import annotations

import asyncio
import signal
import socket
import sys

import pytest

from harness.platform import loop
from harness.platform.loop import PlainLoop, PlainProgramLoop, loop_factory, run_loop


async def which() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_uvloop_runs_where_there_is_one_and_the_standard_loop_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run_loop(which()).startswith("uvloop")
    monkeypatch.setattr(loop, "find_spec", lambda _name: None)
    assert run_loop(which()).startswith("asyncio")


def test_the_environment_can_ask_for_a_loop_like_that_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PLAIN_PLATFORM", "1")
    assert loop_factory() is PlainLoop
    assert loop_factory(in_browser=True) is PlainProgramLoop


def test_windows_has_one_loop_for_sockets_and_one_for_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    class ForPrograms:
        pass

    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr(asyncio, "ProactorEventLoop", ForPrograms, raising=False)
    assert loop_factory() is asyncio.SelectorEventLoop
    chosen: object = loop_factory(in_browser=True)
    assert chosen is ForPrograms


def test_the_plain_loops_lack_what_those_of_windows_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PLAIN_PLATFORM", "1")

    async def lacking() -> set[str]:
        running = asyncio.get_running_loop()
        lacks = set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            try:
                running.add_reader(bound, print)
                running.remove_reader(bound)
            except NotImplementedError:
                lacks.add("sockets")
        try:
            running.add_signal_handler(signal.SIGTERM, print)
        except NotImplementedError:
            lacks.add("signals")
        try:
            await (await asyncio.create_subprocess_exec(sys.executable, "-c", "")).wait()
        except NotImplementedError:
            lacks.add("programs")
        return lacks

    assert run_loop(lacking()) == {"signals", "programs"}
    assert run_loop(lacking(), in_browser=True) == {"signals", "sockets"}


def test_ctrl_c_ends_a_loop_that_waits(either_way: bool) -> None:
    """Windows' select does not return for a signal: a byte at a socket wakes it."""
    del either_way
    seen: list[bool] = []

    async def interrupted() -> None:
        wakes = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(wakes)
        seen.append(wakes >= 0)
        asyncio.get_running_loop().call_later(0.05, signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            seen.append(True)
            raise

    with pytest.raises(KeyboardInterrupt):
        run_loop(interrupted())
    assert seen == [True, True]
    assert signal.set_wakeup_fd(-1) == -1, "what was woken is left alone afterwards"
