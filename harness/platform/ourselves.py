"""What a process asks about itself: its user, and its terminal."""

from __future__ import annotations

import os
import sys

from harness.platform.plain import is_plain


def is_root() -> bool:
    """Whether this is Unix's superuser."""
    return sys.platform != "win32" and os.geteuid() == 0


def is_in_foreground() -> bool:
    """Whether Ctrl-C, which reached us, has reached what we started too, being of the terminal's own group.

    Without groups it has: Windows sends it to all of a console.
    """
    if sys.platform != "win32" and not is_plain():
        try:
            return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
        except (OSError, ValueError):
            return False
    return True
