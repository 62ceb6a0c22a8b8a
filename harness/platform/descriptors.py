"""How many files and sockets this process may open (all that it can allow itself), and how many one has."""

from __future__ import annotations

import sys
from contextlib import suppress

import psutil

from harness.core.errors import HarnessError
from harness.platform.plain import is_plain

LEAST = 64  # imports, an event loop, a client, and one call with what is asked about it
UNKNOWN = 1 << 20  # where the system sets no limit, or does not tell of it


def open_descriptors(process: psutil.Process) -> int | None:
    """Files and sockets that it has open; None where it is gone, or where nobody counts them (Windows)."""
    with suppress(psutil.Error, AttributeError):
        return None if is_plain() else int(process.num_fds())
    return None


def check_descriptors() -> int:
    """Raise our own limit as far as it goes, and give it. Raises HarnessError where no call could be made."""
    if sys.platform != "win32" and not is_plain():
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        if soft == resource.RLIM_INFINITY:
            return UNKNOWN
        if soft < LEAST:
            raise HarnessError(
                f"this process may open {soft} files, and a call needs more",
                f"raise it: ulimit -n {LEAST} or more",
            )
        return soft
    return UNKNOWN
