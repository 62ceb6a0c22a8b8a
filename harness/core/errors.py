"""Our own failures, kept apart from the target's."""

from __future__ import annotations

import re

from harness.core.printable import printable

LONGEST = 4000  # characters: a message is read by people
# Behind a host's colon what is no port, nor stands for one: a password whose @ was forgotten, or cut off.
_NO_PORT = re.compile(
    r"(?<=://)([^\s/?#@\[\]:\"'<>]{1,300}:)(?!\d*(?:[/?#\s\"'<>)]|$)|[A-Z]+\b)[^\s\"'<>]{1,500}"
)
_USER_INFO = re.compile(r"(?<=://)[^\s\"'<>]{1,500}@")  # with a slash in it, which no parser takes for one


class HarnessError(Exception):
    """The harness could not do its work; the target is not to blame.

    `remedy` says what the reader can do about it.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        said = f"{self.message} ({self.remedy})" if self.remedy else self.message
        # The message may quote what came from outside, and a URL in it may hold a password.
        said = printable(_NO_PORT.sub(r"\1…", _USER_INFO.sub("…@", said)), lines=True)
        return said if len(said) <= LONGEST else f"{said[: LONGEST // 2]} … {said[-LONGEST // 2 :]}"


class UsageError(HarnessError):
    """An option, a file or a value that the caller gave cannot be used."""


class TargetUnreachableError(HarnessError):
    """Nothing answered at the target's address, so nothing could be judged."""


class RequirementViolated(AssertionError):  # noqa: N818  (a verdict on the target, not an error of ours)
    """The target broke a requirement."""
