"""aiortc's SCTP without its tasks; its failures stay in the call, where else they would end the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc import RTCSctpTransport

from harness.peer.sctp_packets import ACK, DCEP, FARTHEST, TSN_MODULO, message_problem, packet_problem

OnMalformed = Callable[[str], None]
OnFailed = Callable[[str, Exception], None]  # where, and what

MOST_DUPLICATES = 100  # which a SACK need not tell of one by one

# What aiortc also runs in tasks that nobody awaits, which here is done at once, and what it runs by timer.
IN_TASKS = ("_transmit", "_transmit_reconfig", "_data_channel_flush", "_send_chunk", "_send_reconfig_param")
BY_TIMER = ("_t1_expired", "_t2_expired", "_t3_expired", "_reconfig_timer_expired")


class Association(RTCSctpTransport):
    """`on_malformed` gets what the other end may not send, which is dropped; `on_failed` what we failed in.

    `on_state` gets W3C's states: connecting, connected, closed. `dtls` is a `Dtls`, which has what aiortc's
    SCTP asks of its own.
    """

    def __init__(
        self,
        dtls: Any,
        *,
        on_state: Callable[[str], None],
        on_malformed: OnMalformed,
        on_failed: OnFailed,
    ) -> None:
        self._on_state = on_state
        self._on_malformed = on_malformed
        self._on_failed = on_failed
        self._told_state = ""
        self._done = asyncio.get_running_loop().create_future()  # what aiortc gets in the place of a task
        self._done.set_result(None)
        super().__init__(dtls)

    def packet(self, data: bytes) -> None:
        """Take one that DTLS carried; raises ConnectionError where DTLS turns out to be gone."""
        _run(self._handle_data(data))

    def send_chunk(self, chunk: bytes) -> None:
        """Send a chunk as it is, at once, with a checksum that is right; nothing where DTLS is not up."""
        verbatim: Any = _Verbatim(chunk)
        _at_once("_send_chunk")(self, verbatim)

    async def _handle_data(self, data: bytes) -> None:
        if problem := packet_problem(data, last_tsn=self._last_received_tsn):
            self._on_malformed(problem)
            return
        try:
            await super()._handle_data(data)
        except ConnectionError:
            raise  # DTLS is gone, which its own task takes note of
        except Exception as error:  # whatever aiortc makes of it, the other calls are to go on
            self._on_failed("reading SCTP", error)

    async def _receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        if pp_id == DCEP and data[:1] == ACK and stream_id not in self._data_channels:
            return  # of a channel that was closed meanwhile
        if problem := message_problem(pp_id, data, is_open=stream_id in self._data_channels):
            self._on_malformed(problem)
            return
        await super()._receive(stream_id, pp_id, data)

    async def _send_sack(self) -> None:
        """What a second INIT or a FORWARD TSN left far behind or ahead, no SACK can tell of."""
        last = self._last_received_tsn or 0
        self._sack_misordered = {t for t in self._sack_misordered if 0 < (t - last) % TSN_MODULO <= FARTHEST}
        del self._sack_duplicates[MOST_DUPLICATES:]
        await super()._send_sack()

    def _set_state(self, state: Any) -> None:
        super()._set_state(state)
        if self.state != self._told_state:
            self._told_state = self.state
            self._on_state(self.state)


class _Verbatim:
    """A chunk that aiortc asks for nothing but its bytes."""

    def __init__(self, chunk: bytes) -> None:
        self._chunk = chunk

    def __bytes__(self) -> bytes:
        return self._chunk


def _at_once(name: str) -> Any:
    def guarded(self: Association, *args: Any, **options: Any) -> asyncio.Future[None]:
        try:
            _run(getattr(super(Association, self), name)(*args, **options))
        except ConnectionError:
            pass  # DTLS is gone: there is nobody to send it to
        except Exception as error:  # as above
            self._on_failed("sending SCTP", error)
        return self._done

    return guarded


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """To its end: whatever it sends is sent at once, so it waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("aiortc's SCTP waited for something")


def _by_timer(name: str) -> Any:
    def guarded(self: Association) -> None:
        try:
            getattr(super(Association, self), name)()
        except Exception as error:  # as above
            self._on_failed("an SCTP timer", error)

    return guarded


for _name in IN_TASKS:
    setattr(Association, _name, _at_once(_name))
for _name in BY_TIMER:
    setattr(Association, _name, _by_timer(_name))
