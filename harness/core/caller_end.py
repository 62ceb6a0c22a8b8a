"""A caller's end of a call, whatever it is made of: its verbs, and how they fail.

An end records what happens on the call's timeline by itself: states of its layers (`StateChanged`, `channel`
above all), client and server events, and what is heard, as packets or as stretches.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from harness.core.audio import Samples

Exchange = Callable[[str], Awaitable[str]]
"""Posts an offer, and gives the answer. Raises NotConnectedError where there was none."""


class NotConnectedError(Exception):
    """The call did not come about: the plan ends, and the timeline says what was seen."""


class SdpUnusableError(ValueError):
    """The answer cannot be applied, as setRemoteDescription could not."""


class ChannelClosedError(ConnectionError):
    """The channel is not open, so nothing can be sent."""


class MessageTooLongError(ValueError):
    """The other end's max-message-size does not allow it: a browser's send() throws a TypeError."""


class Wire(Protocol):
    """What lies between our sockets and the network: each datagram is passed on when, and if, it says so."""

    def outgoing(self, size: int, pass_on: Callable[[], object]) -> None: ...

    def incoming(self, size: int, pass_on: Callable[[], object]) -> None: ...

    def flush(self) -> None:
        """Pass on what is going out: the sockets are about to close."""


class Spoken(Protocol):
    """A clip to be spoken: int16 samples (48 kHz, mono), and the same as Opus packets of 20 ms."""

    @property
    def name(self) -> str: ...

    @property
    def samples(self) -> Samples: ...

    @property
    def packets(self) -> tuple[bytes, ...]: ...

    @property
    def duration_ms(self) -> int: ...


class WhatIsHeard(Protocol):
    """What came in. `last_audible`: the timeline's time of the last audible sound, -inf before any."""

    last_audible: float

    def samples(self) -> Samples:
        """int16, 48 kHz, mono, from the timeline's zero on."""
        ...


class CallerEnd(Protocol):
    """One call's end: `connect`, talk, `close` always. What its kind cannot do is not asked of it."""

    @property
    def ufrag(self) -> str:
        """The call's name at both ends; empty until it is known."""
        ...

    @property
    def channel_state(self) -> str:
        """Of what carries events: connecting, open, closing or closed."""
        ...

    @property
    def heard(self) -> WhatIsHeard: ...

    async def connect(self, exchange: Exchange) -> None:
        """Begin the call; events and media may come up later, and are waited for on the timeline.

        An end that makes an offer gives it to `exchange`; one whose page posts it leaves `exchange` alone.
        Raises NotConnectedError and SdpUnusableError.
        """
        ...

    async def say(
        self, clip: Spoken, on_started: Callable[[], None], on_ended: Callable[[bool], None]
    ) -> None:
        """Speak a clip, and return when it was sent. Waits, without end, for media to be up.

        `on_started` is called as the first of it goes out, `on_ended` after the last, or when cut (True).
        """
        ...

    def send(self, event: dict[str, Any]) -> None:
        """Send one client event. Raises ChannelClosedError and MessageTooLongError."""
        ...

    @property
    def muted(self) -> bool: ...

    def mute(self, *, muted: bool) -> None:
        """Replace what is said by silence, or no longer."""
        ...

    def send_nothing(self, *, stopped: bool) -> None:
        """Send no audio at all, not even silence, or again."""
        ...

    async def create_offer(self) -> str:
        """An offer that the caller posts itself; `accept_answer` takes what comes of it."""
        ...

    def accept_answer(self, answer: str) -> None:
        """Begin to connect. Raises SdpUnusableError."""
        ...

    @property
    def offer(self) -> str:
        """What `create_offer` made; empty before, or where this end makes none."""
        ...

    @property
    def shape(self) -> str:
        """How its offer is written (`core.offer_shapes`); empty where we do not write it."""
        ...

    def put_behind(self, wire: Wire) -> None:
        """Let a wire decide which datagrams pass, and when."""
        ...

    async def rebind(self) -> bool:
        """Go on from a new local port; whether the other end answered there."""
        ...

    async def vanish(self) -> None:
        """Be gone without a goodbye; then as `close`."""
        ...

    async def close(self) -> None:
        """End the call as a page does, and leave nothing behind; idempotent."""
        ...
