from __future__ import annotations

import errno

import httpx
import pytest

from harness.core.errors import HarnessError
from harness.core.own_means import raise_for_want


def behind(number: int) -> httpx.ConnectError:
    """As httpx tells of what happened at the socket, one of two attempts."""
    attempts = [OSError(errno.ECONNREFUSED, "no"), OSError(number, "Too many open files")]
    failed = OSError("All connection attempts failed")
    failed.__cause__ = ExceptionGroup("attempts", attempts)
    return httpx.ConnectError(failed)  # type: ignore[arg-type]  # as httpcore gives it


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_what_this_machine_lacks_is_ours(number: int) -> None:
    with pytest.raises(HarnessError, match="we could not connect to a relay: Too many open files"):
        raise_for_want(behind(number), "connect to a relay")


def test_what_others_refuse_is_theirs() -> None:
    raise_for_want(behind(errno.EHOSTUNREACH), "connect to a relay")
    raise_for_want(ValueError("no"), "connect to a relay")
