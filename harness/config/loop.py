"""The event loop of every process of ours, chosen in one place."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

from harness.config.descriptors import check_descriptors
from harness.config.settings import read_settings
from harness.core.errors import HarnessError

T = TypeVar("T")


def run_loop(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, on the loop that suits this system.

    Raises HarnessError where this process may open too few files for it.
    """
    try:
        check_descriptors()
    except HarnessError:
        main.close()  # it is not awaited any more
        raise
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's, which takes less CPU for a packet; the standard one where it is not to be had, as on Windows.

    There the selector loop: sockets are read when they are readable, which the proactor loop cannot tell.
    """
    if read_settings().plain_loop or find_spec("uvloop") is None:
        return asyncio.SelectorEventLoop if sys.platform == "win32" else asyncio.new_event_loop
    import uvloop  # not on Windows

    return uvloop.new_event_loop
