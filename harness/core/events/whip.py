"""A call that is a resource of its own at the relay, as WHIP has it (RFC 9725)."""

from __future__ import annotations

from typing import Literal

from harness.core.events.base import Event

SessionProblem = Literal["", "missing", "not-a-url", "endpoint", "elsewhere"]


class WhipSession(Event, frozen=True, kw_only=True):
    """What the response to an ordinary offer says of the session that it made.

    `location` is the header as it came, and `problem` why nothing is sent there: it is missing, is no HTTP
    URL, is where offers go, or is at another origin. `etag` is that header. `guessable`: its last part leaves
    fewer than 64 bits to guess.
    """

    location: str
    problem: SessionProblem = ""
    etag: str = ""
    guessable: bool = False
