"""One call's media in C, and the lanes that a pacer serves together."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from struct import Struct
from typing import Any, Protocol

from pylibsrtp import Session

from harness.core.audio_format import FRAME_SAMPLES
from harness.peer import srtp
from harness.peer.native.library import BATCH, LARGEST, ffi, library

REFILL, LOOK, BEGUN, UNSENT = 1, 2, 4, 8  # what lanes.c asks for
_packets = Struct("=dII")  # of `struct packet`: arrival, length, whether it is RTCP


class MediaLane:
    """What is ready to be sent, and what came and is held, of one call. `state` is its `struct lane`."""

    def __init__(self, native: Any) -> None:
        self._native = native
        self.state = ffi.gc(native.lane_new(), native.lane_free)
        self._sessions: tuple[Session, ...] = ()  # which the C part borrows
        self.on_full: Callable[[], None] = lambda: None  # a batch is held
        self._socket: socket.socket | None = None
        self._sizes = ffi.new("int[]", BATCH)
        self._packets = ffi.buffer(native.lane_packets(self.state), _packets.size * BATCH)
        self._came = ffi.buffer(native.lane_came(self.state), LARGEST * BATCH)

    @classmethod
    def where_built(cls) -> MediaLane | None:
        """One, where the native part is built."""
        native = library()
        return None if native is None else cls(native)

    def beside(self) -> MediaLanes:
        """An empty set of lanes, of the same library."""
        return MediaLanes(self._native)

    # --- where it goes ---

    def keys(self, outgoing: Session | None, incoming: Session | None) -> None:
        """The keys of both directions; None while there are none."""
        self._sessions = tuple(session for session in (outgoing, incoming) if session is not None)
        handles = (ffi.cast("void *", srtp.handle(session)) for session in (outgoing, incoming))
        self._native.lane_keys(self.state, *handles)

    def plug(self, bound: socket.socket, address: tuple[str, int]) -> None:
        """Send from a socket to an address."""
        self._socket = bound
        if self._native.lane_plug(self.state, bound.fileno(), address[0].encode(), address[1]):
            self._socket = None

    def unplug(self, bound: socket.socket | None = None) -> None:
        """Leave sending to Python; for a socket, if it is that one."""
        if self._socket is not None and bound in (None, self._socket):
            self._socket = None
            self._native.lane_plug(self.state, -1, b"", 0)

    # --- sending ---

    def protect(self, payloads: Sequence[bytes | None]) -> None:
        """Make the datagrams of the next frames ready, up to `BATCH`; None sends nothing."""
        present = [payload for payload in payloads if payload is not None]
        if len(present) == len(payloads):
            sizes = list(map(len, present))
        else:
            sizes = [-1 if payload is None else len(payload) for payload in payloads]
        self._sizes[0 : len(sizes)] = sizes
        self._native.lane_protect(self.state, b"".join(present), self._sizes, len(sizes), FRAME_SAMPLES)

    def send(self) -> int:
        """Send what is next; BEGUN, UNSENT or 0."""
        return int(self._native.lane_send(self.state))

    def unsent(self) -> bytes:
        """The datagram that was not sent just now."""
        datagram = self._native.lane_unsent(self.state, self._sizes)
        return bytes(ffi.buffer(datagram, self._sizes[0]))

    @property
    def ready(self) -> int:
        """Frames that are ready."""
        return int(self.state.ready - self.state.next)

    # --- receiving ---

    def hold(self, datagram: bytes, arrival: float) -> bool:
        """Take a datagram that Python read; whether the batch is full."""
        return bool(self._native.lane_hold(self.state, datagram, len(datagram), arrival) >= BATCH)

    def opened(self) -> Iterator[tuple[bytes, float, int]]:
        """Each packet that is held and authentic, its arrival, and whether it is RTCP; in their order."""
        number = self._native.lane_open(self.state)
        if number:
            came, at = self._came, 0
            for arrival, length, control in _packets.iter_unpack(self._packets[0 : _packets.size * number]):
                if length:
                    yield came[at : at + length], arrival, control
                at += LARGEST


class LaneSender(Protocol):
    """Who says what a lane sends."""

    def serve(self, what: int, deadline: float, /) -> None:
        """Do what the lane needs for this frame."""
        ...


class MediaLanes:
    """Those that are served at once, by key."""

    def __init__(self, native: Any) -> None:
        self._native = native
        self._lanes: dict[int, tuple[MediaLane, LaneSender, Callable[[Exception], None]]] = {}
        self._keys: list[int] = []
        self._states: Any = None
        self._which: Any = None
        self._what: Any = None

    def __len__(self) -> int:
        return len(self._lanes)

    def add(
        self, key: int, lane: MediaLane, sender: LaneSender, on_failed: Callable[[Exception], None]
    ) -> None:
        """Serve one more; `on_failed` is told why it was taken out."""
        self._lanes[key] = lane, sender, on_failed
        self._laid_out()

    def remove(self, key: int) -> None:
        """Serve it no more; idempotent."""
        if self._lanes.pop(key, None) is not None:
            self._laid_out()

    def _laid_out(self) -> None:
        self._keys = list(self._lanes)
        self._states = ffi.new("struct lane *[]", [lane.state for lane, _, _ in self._lanes.values()])
        self._which, self._what = ffi.new("int[]", len(self._keys)), ffi.new("int[]", len(self._keys))

    def serve(self, deadline: float) -> None:
        """Send a frame's packets."""
        keys = self._keys
        found = self._native.lanes_serve(self._states, len(keys), deadline, self._which, self._what)
        if not found:
            return
        for which, what in zip(ffi.unpack(self._which, found), ffi.unpack(self._what, found), strict=True):
            served = self._lanes.get(keys[which])
            if served is None:
                continue  # stopped by one before it
            try:
                served[1].serve(what, deadline)
            except Exception as error:  # one call must not stop the others
                self.remove(keys[which])
                served[2](error)
