"""One process at a time: locks on files."""

from __future__ import annotations

import sys

from harness.platform.plain import is_plain


def is_taken(descriptor: int) -> bool:
    """Take the file, and say whether another process has it; where there are no locks, nobody is kept out.

    So on Windows, and in some network folders.
    """
    if sys.platform != "win32" and not is_plain():
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False
