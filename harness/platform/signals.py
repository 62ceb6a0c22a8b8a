"""Signals: those that this system has, and what an event loop does about one."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


def those_of(*names: str) -> tuple[signal.Signals, ...]:
    """The signals of these names that there are: Windows has few."""
    return tuple(number for name in names if (number := getattr(signal, name, None)) is not None)


# SIGBREAK is Windows': Ctrl-Break, and a console window that is closed.
ENDING = those_of("SIGTERM", "SIGHUP", "SIGBREAK")
INTERRUPTING = (signal.SIGINT, *ENDING)


def heeded(numbers: Sequence[signal.Signals]) -> list[signal.Signals]:
    """Without those that whoever started us has told us to ignore, as nohup does with SIGHUP.

    SIGINT always is: a script's `&` ignores it for all that it starts, and some end a server by it.
    """
    return [n for n in numbers if n == signal.SIGINT or signal.getsignal(n) is not signal.SIG_IGN]


@contextlib.contextmanager
def handled(
    loop: asyncio.AbstractEventLoop, numbers: Sequence[signal.Signals], handle: Callable[[], Any]
) -> Iterator[None]:
    """Meanwhile each of them calls `handle` in the loop, which runs in the main thread.

    But those that are ignored stay so. Afterwards each is handled as it was before.
    """
    with contextlib.ExitStack() as undo:
        for number in heeded(numbers):
            undo.callback(signal.signal, number, signal.getsignal(number))
            try:
                loop.add_signal_handler(number, handle)
            except NotImplementedError:  # Windows' loops; `waking` sees to it that they notice
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(handle))
            else:
                undo.callback(loop.remove_signal_handler, number)
        yield


@contextlib.contextmanager
def waking(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Meanwhile a signal wakes a loop without signal handlers: Windows' would wait through Ctrl-C."""
    import asyncio  # a program that begins imports this module before all else
    import socket

    has_handlers = type(loop).add_signal_handler is not asyncio.AbstractEventLoop.add_signal_handler
    if has_handlers or threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        writing.setblocking(False)
        try:
            loop.add_reader(reading, reading.recv, 4096)
        except NotImplementedError:  # the proactor loop, which sees to it by itself
            yield
            return
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(reading)
