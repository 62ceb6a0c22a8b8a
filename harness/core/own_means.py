"""What this machine refuses us for want of means: descriptors, buffers, memory. Nobody else is to blame."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from harness.core.errors import HarnessError

WANTING = {
    errno.EMFILE: "raise the limit of open files (ulimit -n), or make fewer calls at once",
    errno.ENFILE: "the machine has no descriptor left: make fewer calls at once",
    errno.ENOBUFS: "the machine has no network buffer left: make fewer calls at once",
    errno.ENOMEM: "the machine has no memory left: make fewer calls at once",
}


def raise_for_want(error: BaseException, what: str) -> None:
    """Raises HarnessError where that lies behind it. `what` was being done: `open a socket`."""
    for cause in causes(error):
        if isinstance(cause, OSError) and cause.errno in WANTING:
            raise HarnessError(f"we could not {what}: {cause.strerror}", WANTING[cause.errno]) from error


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, then its causes; of several attempts (an exception group) each with its own.

    httpcore hides the cause (`raise … from None`) but keeps it as the argument of its own error.
    """
    seen: list[BaseException] = []
    open_ends = [error]
    while open_ends:
        found = open_ends.pop(0)
        if any(found is other for other in seen):
            continue
        seen.append(found)
        yield found
        if isinstance(found, BaseExceptionGroup):
            open_ends += found.exceptions
        open_ends += [argument for argument in found.args if isinstance(argument, BaseException)]
        behind = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
        if behind is not None:
            open_ends.append(behind)
