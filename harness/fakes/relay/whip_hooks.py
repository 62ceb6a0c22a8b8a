"""Where a fault can take hold of a WHIP session, and what the relay is asked, in one word each."""

from __future__ import annotations

from typing import Literal

from starlette.responses import Response

from harness.fakes.faults.registry import RELAY_FAULTS, Contract, FaultValue
from harness.fakes.relay.settings import RelaySettings

Asked = Literal[
    "create",  # an offer that made a session
    "bad-post",  # one that was refused
    "options",
    "get",
    "other-method",
    "delete",  # of a session that lives
    "gone",  # anything to a session that does not
    "bad-patch",
    "candidates",
    "unconditional",  # candidates without If-Match
    "stale",  # candidates with another entity-tag
    "restart",
]


class WhipFault:
    """One way for a relay to misbehave as a WHIP server."""

    keeps_calls = False  # a DELETE ends nothing
    lets_anyone_end = False  # a DELETE needs no credentials
    looks_before_asking = False  # for a session, and only then for credentials
    counts_sessions = False  # names them 1, 2, 3
    ends_at_restart = False  # ends the session where it cannot restart its ICE

    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        self.value = value
        self.settings = settings

    def tag(self, etag: str) -> str:
        """A session's entity-tag; empty for none."""
        return etag

    def respond(self, asked: Asked, response: Response) -> Response:  # noqa: ARG002  (for faults)
        """The last thing before the response goes out."""
        return response


WHIP: Contract[type[WhipFault]] = Contract(RELAY_FAULTS)
whip_fault = WHIP.fault
