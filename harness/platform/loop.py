"""The event loop of every process of ours, chosen in one place."""

from __future__ import annotations

import asyncio
import selectors
import sys
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any, Never, TypeVar

from harness.core.errors import HarnessError
from harness.platform.descriptors import check_descriptors
from harness.platform.plain import is_plain
from harness.platform.signals import waking

T = TypeVar("T")


class PlainLoop(BaseSelectorEventLoop):
    """Windows' selector loop, on any system: no signals, pipes or programs, and select(2) for sockets."""

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())


class PlainProgramLoop(asyncio.SelectorEventLoop):
    """As Windows' proactor loop: it runs programs, and does not tell when a socket can be read."""

    def add_reader(self, *_: object) -> Never:
        raise NotImplementedError

    def add_writer(self, *_: object) -> Never:
        raise NotImplementedError

    def add_signal_handler(self, *_: object) -> Never:
        raise NotImplementedError


def run_loop(main: Coroutine[Any, Any, T], *, in_browser: bool = False) -> T:
    """As `asyncio.run`, on the loop that suits this system. `in_browser`: a browser makes the calls.

    Raises HarnessError where this process may open too few files for it.
    """
    try:
        check_descriptors()
    except HarnessError:
        main.close()  # it is not awaited any more
        raise
    factory = loop_factory(in_browser=in_browser)
    with asyncio.Runner(loop_factory=factory) as runner, waking(runner.get_loop()):
        return runner.run(main)


def loop_factory(*, in_browser: bool = False) -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's, which takes less CPU for a packet; the standard one where it is not to be had.

    Windows has two, and neither does all: our sockets are read when they can be, which only the selector loop
    tells, and Playwright starts a program, which only the proactor loop can.
    """
    if sys.platform == "win32":
        return asyncio.ProactorEventLoop if in_browser else asyncio.SelectorEventLoop
    elif is_plain():  # noqa: RET505  (a chain that mypy follows for each system)
        return PlainProgramLoop if in_browser else PlainLoop
    elif find_spec("uvloop") is None:
        return asyncio.new_event_loop
    else:
        import uvloop

        return uvloop.new_event_loop
