"""`kill -9` of a process that a command of ours started, and what comes of the command."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from time import monotonic, sleep

import psutil

from tests.support.programs import ending_with_us, is_gone

PAIR = "harness.fakes.embedded_child"
ENDS_WITHIN = 15.0
PAIR_WAS_KILLED = "the embedded pair was killed (signal 9): is there memory enough?"
FAKE_WAS_KILLED = "the fake that the harness serves was killed (signal 9): is there memory enough?"


@dataclass(frozen=True)
class Ended:
    """`seconds` after the kill; `left` are the numbers of what the command started and did not end."""

    code: int
    said: str
    seconds: float
    left: list[int]


class Begun:
    """A command of ours in a process of its own."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            ending_with_us([sys.executable, "-m", *command]),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._said = ""

    def until_said(self, text: str) -> None:
        """Read until a line holds the text."""
        assert self.process.stdout is not None
        while text not in self._said:
            line = self.process.stdout.readline()
            assert line, self._said
            self._said += line

    def kill(self, lost: str, within: float = 60) -> Ended:
        """Kill the child that has this word in its command line, and let the command end."""
        until = monotonic() + 30
        while not (found := [c for c in self._children() if lost in _words(c)]):
            assert monotonic() < until, self._said
            sleep(0.05)
        (victim,) = found
        children = self._children()
        victim.kill()
        began = monotonic()
        try:
            out, _ = self.process.communicate(timeout=within)
        finally:
            self.process.kill()
            self.process.wait()
        took = monotonic() - began
        # A child of the one that was killed ends by itself, once it reads the end of its input.
        until = monotonic() + ENDS_WITHIN
        while (left := [child.pid for child in children if not is_gone(child.pid)]) and monotonic() < until:
            sleep(0.05)
        return Ended(self.process.returncode, self._said + out, took, left)

    def _children(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found


def _words(process: psutil.Process) -> list[str]:
    try:
        found: list[str] = process.cmdline()
    except psutil.Error:  # it ended while we looked
        return []
    return found
