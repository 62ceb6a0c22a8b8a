"""The data channel, seen as W3C's RTCDataChannel with plain callbacks."""

from __future__ import annotations

from collections.abc import Callable

from aiortc import RTCDataChannel
from aiortc.exceptions import InvalidStateError

from harness.core.caller_end import ChannelClosedError, MessageTooLongError

Message = str | bytes


class Channel:
    """One ordered, reliable data channel.

    `on_message` may fire while `state` is still `connecting`: the other end's first message can overtake
    the acknowledgement that opens the channel. `on_failed` is told what either made fail.
    """

    def __init__(self, channel: RTCDataChannel, on_failed: Callable[[str, Exception], None]) -> None:
        self._channel = channel
        self._on_failed = on_failed
        self.label: str = channel.label
        self.on_message: Callable[[Message], None] | None = None
        self.on_state: Callable[[str], None] | None = None
        channel.on("message", self._message)
        channel.on("open", lambda: self._state("open"))
        channel.on("close", lambda: self._state("closed"))

    @property
    def state(self) -> str:
        """connecting, open, closing or closed."""
        return str(self._channel.readyState)

    @property
    def buffered(self) -> int:
        """Bytes handed over and not yet sent."""
        return int(self._channel.bufferedAmount)

    def send(self, text: str) -> None:
        """Queue a message; raises ChannelClosedError unless open, MessageTooLongError over its limit."""
        try:
            self._channel.send(text)
        except InvalidStateError as error:
            raise ChannelClosedError(f"the data channel is {self.state}") from error
        except ValueError as error:
            raise MessageTooLongError(str(error)) from error

    def close(self) -> None:
        """Begin closing; `closed` follows when the other end agrees or the transport stops."""
        self._channel.close()

    def _message(self, message: Message) -> None:
        try:
            if self.on_message is not None:
                self.on_message(message)
        except Exception as error:  # aiortc would end the call, or the run, with it
            self._on_failed("taking a message", error)

    def _state(self, state: str) -> None:
        try:
            if self.on_state is not None:
                self.on_state(state)
        except Exception as error:  # as above
            self._on_failed(f"noting that the channel is {state}", error)
