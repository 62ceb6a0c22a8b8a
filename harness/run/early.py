"""Ctrl-C from our first line on: while modules are still being imported it ends the process, in silence.

A program imports this before all else. Python's own answer would be a traceback of an import.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from harness.platform.signals import ENDING

INTERRUPTED = 130  # as a shell reports SIGINT

_told: list[int] = []
_is_ready = False


def _leave(number: int, _frame: object) -> None:
    os._exit(128 + number)


def be_quiet() -> None:
    """Until `be_ready`, and again once everything is done: leave at once, without a word."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)


def be_ready() -> None:
    """From now on SIGINT is a KeyboardInterrupt, and SIGTERM and SIGHUP are taken as one.

    So what was made is kept whichever of them comes; `exit_code` tells them apart.
    """
    global _is_ready
    _is_ready = True
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:  # else somebody (nohup) ignores it on purpose
            signal.signal(number, _as_interrupt)


@contextmanager
def importing() -> Iterator[None]:
    """Quiet while more modules are imported, where `be_ready` has been called.

    A KeyboardInterrupt among them may come out as another error: some of their C code swallows it.
    """
    if not _is_ready:
        yield
        return
    be_quiet()
    try:
        yield
    finally:
        be_ready()


def exit_code() -> int:
    """Of a process that was interrupted, as a shell has it."""
    return 128 + _told[0] if _told else INTERRUPTED


def _as_interrupt(number: int, _frame: object) -> None:
    _told.append(number)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell's `&` has it: there is none to raise
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)
