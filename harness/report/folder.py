"""The reports folder, looked at before the first call: that it can be written, and that nobody else does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.core.errors import UsageError
from harness.platform.locks import is_taken

LOCK = ".in-use"
ROOM = 1 << 20  # bytes that must be free: a call's evidence has several times as many


@contextmanager
def claimed(directory: Path) -> Iterator[Path]:
    """The folder, made where it was missing, and ours alone meanwhile. Raises UsageError.

    Two runs in one folder would each clear away the other's calls.
    """
    remedy = "choose another --reports DIR"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(
            f"no report can be written to {directory}: {error.strerror or error}", remedy
        ) from error
    try:
        if is_taken(lock):
            raise UsageError(f"another run writes its report to {directory}", remedy)
        try:
            os.write(lock, bytes(ROOM))
            os.fsync(lock)
        except OSError as error:
            raise UsageError(
                f"no report can be written to {directory}: {error.strerror or error}", remedy
            ) from error
        finally:
            os.ftruncate(lock, 0)
        yield directory
    finally:
        os.close(lock)
