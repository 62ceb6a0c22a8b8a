"""What `harness demo` shows: a healthy relay, and five that are broken as they are in the field."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.call import Caller

Conversation = Callable[[Caller], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """A relay, how its trouble is met in the field, and the finding that must name it.

    `relay` and `upstream` are faults of the reference relay and the fake; `finds` is `REQUIREMENT: CAUSE`,
    empty for the healthy one.
    """

    name: str
    in_the_field: str
    conversation: Conversation
    relay: str = ""
    upstream: str = ""
    finds: str = ""


async def _connects(caller: Caller) -> None:
    await caller.connect()
    await caller.hang_up()


async def _takes_a_turn(caller: Caller) -> None:
    await caller.connect()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()


CASES = (
    Case("a healthy relay", "“Yes, please.” is heard and answered", _takes_a_turn),
    Case(
        "trims the offer",
        "every call is refused: 400 “failed to unmarshal SDP: EOF”",
        _connects,
        relay="offer-trimmed",
        finds="signaling.offer-forwarded-intact: offer-trimmed",
    ),
    Case(
        "hides a rejected key",
        "the page says “Failed to parse SessionDescription. Expect line: v=”",
        _connects,
        relay="upstream-error-as-sdp",
        upstream="http-401",
        finds="signaling.answer-is-sdp: upstream-error-as-sdp",
    ),
    Case(
        "drops m=application",
        "the microphone is granted, then “data channel timeout”",
        _connects,
        relay="data-section-stripped",
        finds="signaling.offer-forwarded-intact: data-section-stripped",
    ),
    Case(
        "turns turn detection off",
        "connected, the microphone is hot, and nobody ever answers",
        _takes_a_turn,
        upstream="turn-detection-off",
        finds="session.vad-configured: vad-disabled",
    ),
    Case(
        "leaks its calls",
        "billed for minutes after everybody has hung up",
        _connects,
        upstream="call-leaked",
        finds="lifecycle.hang-up-releases-call: call-leaked",
    ),
)
