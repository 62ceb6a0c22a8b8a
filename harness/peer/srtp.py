"""SRTP by libsrtp without pylibsrtp's cost for each packet: the second file that reaches into a library.

pylibsrtp allocates a length for each packet and looks its functions up anew; here a session keeps both. That
is a third of what protecting a packet costs. pylibsrtp is pinned; `tests/peer/test_srtp.py` fails by name
when a release changes what is used here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

# libsrtp adds a tag of at most 16 bytes and, to SRTCP, an index of four; its buffer holds 1500.
LONGEST_PACKET = 1400

Process = Callable[[bytes], bytes | None]


class Crypt(NamedTuple):
    """One direction: each takes a packet, and returns None where libsrtp refuses it."""

    rtp: Process
    rtcp: Process


def _refuse(_packet: bytes) -> bytes | None:
    return None


CLOSED = Crypt(_refuse, _refuse)  # while there are no keys


def protection(session: Session) -> Crypt:
    """Protects RTP packets and RTCP compounds."""
    return _crypt(session, lib.srtp_protect, lib.srtp_protect_rtcp)


def opening(session: Session) -> Crypt:
    """Opens SRTP and SRTCP packets; refuses what is not authentic, or came before."""
    return _crypt(session, lib.srtp_unprotect, lib.srtp_unprotect_rtcp)


def handle(session: Session | None) -> int:
    """The address of libsrtp's session, for the part in C; 0 without one. Good as long as the session is."""
    return 0 if session is None else int(ffi.cast("uintptr_t", session._srtp[0]))


def functions() -> tuple[int, int, int]:
    """The addresses of libsrtp's functions: protect, unprotect, and the latter for RTCP."""
    protect, unprotect, unprotect_rtcp = (
        int(ffi.cast("uintptr_t", ffi.addressof(lib, name)))
        for name in ("srtp_protect", "srtp_unprotect", "srtp_unprotect_rtcp")
    )
    return protect, unprotect, unprotect_rtcp


def _crypt(session: Session, rtp: Any, rtcp: Any) -> Crypt:
    length = ffi.new("int *")
    return Crypt(_process(session, rtp, length), _process(session, rtcp, length))


def _process(session: Session, function: Any, length: Any) -> Process:
    handle, address, buffer = session._srtp[0], session._cdata, session._buffer

    def process(packet: bytes, _owner: Session = session) -> bytes | None:  # the session frees what it owns
        size = len(packet)
        if size > LONGEST_PACKET:
            return None
        buffer[0:size] = packet
        length[0] = size
        if function(handle, address, length):
            return None
        processed: bytes = buffer[0 : length[0]]
        return processed

    return process
