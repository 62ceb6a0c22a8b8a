"""The part in C does what Python does: the same packets leave, the same come in, whatever is sent to it."""

from __future__ import annotations

import random
import secrets
import socket
import struct
from collections.abc import Iterator, Sequence

import pytest
from pylibsrtp import Policy, Session

from harness.core.audio_format import FRAME_SAMPLES
from harness.peer import srtp
from harness.peer.native import library
from harness.peer.native.lane import BEGUN, LOOK, REFILL, UNSENT, MediaLane, MediaLanes
from harness.peer.native.library import BATCH, LARGEST, ffi, opened
from harness.peer.sender import AudioSender
from tests.peer.conftest import needs_compiler

pytestmark = needs_compiler

KEY = secrets.token_bytes(44)
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_256_GCM
HEADER = struct.Struct("!BBHLL")


def session(*, outbound: bool, key: bytes = KEY) -> Session:
    direction = Policy.SSRC_ANY_OUTBOUND if outbound else Policy.SSRC_ANY_INBOUND
    return Session(Policy(key, direction, srtp_profile=PROFILE))


@pytest.fixture
def lane(native_cache: object, monkeypatch: pytest.MonkeyPatch) -> MediaLane:
    monkeypatch.setenv("XDG_CACHE_HOME", str(native_cache))
    lane = MediaLane(opened(library.built_at()))
    lane.keys(session(outbound=True), session(outbound=False))
    lane.state.ssrc, lane.state.payload_type = 7, 111
    lane.state.sequence, lane.state.timestamp, lane.state.marker = 0xFFFE, 2**32 - FRAME_SAMPLES, 0x80
    return lane


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
    ):
        far.bind(("127.0.0.1", 0))
        far.settimeout(5.0)
        yield near, far


class Outlet:
    """As Python sends: what `AudioSender` makes ready, protected by a session of the same key."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self._protect = srtp.protection(session(outbound=True)).rtp

    def protect_rtp(self, packet: bytes) -> bytes | None:
        return self._protect(packet)

    def send_protected(self, datagram: bytes) -> bool:
        self.sent.append(datagram)
        return True

    def send_rtcp(self, compound: bytes) -> bool:
        return bool(compound)


class Said:
    """A source that says what it is told."""

    def __init__(self, payloads: Sequence[bytes | None]) -> None:
        self._payloads = list(payloads)

    def next_packet(self) -> bytes | None:
        return self._payloads.pop(0)

    def foreseen(self) -> int:
        return BATCH


async def test_the_same_datagrams_leave_as_from_python(
    lane: MediaLane, ends: tuple[socket.socket, socket.socket]
) -> None:
    """Over the wraps of sequence and timestamp, with silence between, and a payload that is too long."""
    payloads: list[bytes | None] = [b"a", b"bc", None, None, b"", b"d" * 1275, b"e" * 1389, b"f", None, b"g"]
    outlet = Outlet()
    sender = AudioSender(outlet, Said(payloads), ssrc=7)
    sender._sequence, sender._timestamp = 0xFFFE, 2**32 - FRAME_SAMPLES
    for frame in range(len(payloads)):
        sender.tick(0.02 * frame)
    near, far = ends
    lane.plug(near, far.getsockname())
    flags = []
    for start in range(0, len(payloads), BATCH):
        lane.protect(payloads[start : start + BATCH])
        flags += [lane.send() for _ in range(BATCH)]
    assert [far.recv(LARGEST) for _ in outlet.sent] == outlet.sent
    assert flags == [BEGUN] + [0] * 9
    assert lane.state.sent == sender.packets == 6
    assert lane.state.octets == sender._octets
    assert lane.state.sequence == sender._sequence
    assert lane.state.timestamp == sender._timestamp


def test_what_cannot_be_sent_is_handed_back(
    lane: MediaLane, ends: tuple[socket.socket, socket.socket]
) -> None:
    near, far = ends
    lane.protect([b"one", b"two", b"three"])
    assert lane.send() == UNSENT  # it has nowhere to send
    assert session(outbound=False).unprotect(lane.unsent())[12:] == b"one"
    lane.plug(near, far.getsockname())
    assert lane.send() == BEGUN
    near.close()
    lane.unplug(far)  # of another socket, so it stays
    lane.unplug(near)
    assert lane.send() == UNSENT
    assert lane.send() == 0
    assert lane.ready == 0
    for address in (("nowhere", 1), ("127.0.0.1", 0), ("127.0.0.1", 65536), ("fe80::1%lo", 9)):
        lane.plug(far, address)
        lane.protect([b"again"])
        assert lane.send() == UNSENT


def test_without_keys_nothing_is_made_ready_and_nothing_opened(lane: MediaLane) -> None:
    lane.keys(None, None)
    lane.protect([b"one"])
    assert (lane.ready, lane.send(), lane.state.sequence) == (1, 0, 0xFFFE)
    lane.hold(bytes([0x80, 111]) + bytes(40), 1.0)
    assert list(lane.opened()) == []


def protected(payloads: Sequence[bytes]) -> list[bytes]:
    outgoing = session(outbound=True)
    return [
        outgoing.protect(HEADER.pack(0x80, 111, n, 960 * n, 9) + payload)
        for n, payload in enumerate(payloads)
    ]


def test_what_is_held_is_opened_in_its_order_and_told_from_rtcp(lane: MediaLane) -> None:
    media = protected([b"a", b"", b"c" * 1300])
    report = session(outbound=True).protect_rtcp(struct.pack("!BBHL", 0x80, 201, 1, 9))
    forged = session(outbound=True, key=secrets.token_bytes(44)).protect(HEADER.pack(0x80, 111, 5, 0, 9))
    full = [lane.hold(d, float(at)) for at, d in enumerate((media[0], media[1], forged, report, media[2]))]
    assert full == [False] * 4 + [True]
    assert lane.hold(media[0], 9.0)  # there is no room: it is left out
    got = list(lane.opened())
    assert [(len(packet), at, control) for packet, at, control in got] == [
        (13, 0.0, 0),
        (12, 1.0, 0),
        (8, 3.0, 1),
        (1312, 4.0, 0),
    ]
    assert list(lane.opened()) == []
    lane.hold(media[0], 5.0)
    assert list(lane.opened()) == []  # it came before


def test_nothing_that_comes_breaks_it(lane: MediaLane) -> None:
    rng = random.Random(5)
    valid = protected([rng.randbytes(rng.randrange(80)) for _ in range(200)])
    opened_ones = 0
    for number, good in enumerate(valid):
        mutated = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        lane.hold(bytes(mutated), 0.0)
        lane.hold(rng.randbytes(rng.choice((0, 1, 2, 11, 12, 13, 40, 1400, 1401, LARGEST, LARGEST + 1))), 0.0)
        lane.hold(good[: rng.randrange(len(good))], 0.0)
        lane.hold(good, float(number))
        opened_ones += [at for _, at, _ in lane.opened()].count(float(number)) if number else 1
    assert opened_ones >= 190  # but those whose mutation was none


class Served:
    """A sender that keeps what it is asked for."""

    def __init__(self, lane: MediaLane) -> None:
        self.asked: list[tuple[int, float]] = []
        self.lane = lane
        self.fails = False

    def serve(self, what: int, deadline: float) -> None:
        if self.fails:
            raise ValueError("of ours")
        self.asked.append((what, deadline))
        if what & LOOK:
            self.lane.state.next_look = deadline + 0.2
        if what & REFILL:
            self.lane.protect([b"x"] * BATCH)
            self.lane.send()


def test_lanes_are_served_together_and_one_that_fails_is_taken_out(
    lane: MediaLane, ends: tuple[socket.socket, socket.socket]
) -> None:
    near, far = ends
    lane.plug(near, far.getsockname())
    lane.state.since = 1.0
    served, other = Served(lane), Served(MediaLane(lane._native))
    lanes, failed = lane.beside(), list[str]()
    lanes.add(1, lane, served, lambda error: failed.append(str(error)))
    lanes.add(2, other.lane, other, lambda error: failed.append(str(error)))
    other.fails = True
    for frame in range(13):
        lanes.serve(0.98 + 0.02 * frame)
    assert failed == ["of ours"]
    assert len(lanes) == 1
    # Not before its time; then five frames a refill, and a look each 0.2 s.
    assert [what for what, _ in served.asked] == [REFILL | LOOK, REFILL, REFILL | LOOK]
    assert len([far.recv(LARGEST) for _ in range(11)]) == lane.state.sent == 11
    lanes.remove(1)
    lanes.remove(1)
    lanes.serve(9.0)
    assert (len(lanes), len(served.asked)) == (0, 3)
    assert isinstance(lanes, MediaLanes)
    assert ffi.sizeof("struct packet") == 16
