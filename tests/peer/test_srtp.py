"""What harness/peer/srtp.py uses of pylibsrtp, by name, and that it does what pylibsrtp itself does."""

from __future__ import annotations

import gc
import importlib.metadata
import secrets
import struct

import pylibsrtp
import pytest
from pylibsrtp import Policy, Session

from harness.peer.srtp import LONGEST_PACKET, opening, protection

KEY = secrets.token_bytes(44)
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_256_GCM
COMPOUND = struct.pack("!BBHLLLLLL", 0x80, 200, 6, 7, 0, 0, 0, 0, 0)


def outgoing() -> Session:
    return Session(Policy(KEY, Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE))


def incoming() -> Session:
    return Session(Policy(KEY, Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE))


def rtp(sequence: int, payload: bytes = b"opus") -> bytes:
    return struct.pack("!BBHLL", 0x80, 111, sequence, sequence * 960, 7) + payload


def test_the_installed_pylibsrtp_is_the_one_these_names_were_read_in() -> None:
    assert importlib.metadata.version("pylibsrtp") == "1.0.0"


@pytest.mark.parametrize("name", ["_srtp", "_cdata", "_buffer"])
def test_a_session_has(name: str) -> None:
    assert hasattr(outgoing(), name)


@pytest.mark.parametrize(
    "name", ["srtp_protect", "srtp_protect_rtcp", "srtp_unprotect", "srtp_unprotect_rtcp"]
)
def test_the_binding_has(name: str) -> None:
    assert hasattr(pylibsrtp._binding.lib, name)


def test_what_we_protect_pylibsrtp_opens_and_the_reverse() -> None:
    protect, open_ = protection(outgoing()), opening(incoming())
    theirs_out, theirs_in = outgoing(), incoming()
    for sequence in range(1, 200):
        packet = rtp(sequence, secrets.token_bytes(sequence))
        protected = protect.rtp(packet)
        assert protected is not None
        assert theirs_in.unprotect(protected) == packet
        assert open_.rtp(theirs_out.protect(packet)) == packet
    compound = protect.rtcp(COMPOUND)
    assert compound is not None
    assert theirs_in.unprotect_rtcp(compound) == COMPOUND
    assert open_.rtcp(theirs_out.protect_rtcp(COMPOUND)) == COMPOUND


def test_what_is_forged_or_comes_twice_is_refused() -> None:
    protect, open_ = protection(outgoing()), opening(incoming())
    first, second = protect.rtp(rtp(1)), protect.rtp(rtp(2))
    assert first is not None
    assert second is not None
    assert open_.rtp(first) == rtp(1)
    assert open_.rtp(first) is None
    assert open_.rtp(second[:-1] + bytes([second[-1] ^ 1])) is None
    assert open_.rtp(b"no SRTP at all") is None
    assert open_.rtp(second) == rtp(2)  # what was refused did no harm


def test_no_packet_overflows_libsrtps_buffer() -> None:
    protect = protection(outgoing())
    assert protect.rtp(rtp(1, bytes(LONGEST_PACKET))) is None
    assert protect.rtp(rtp(1, bytes(LONGEST_PACKET - 12))) is not None


def test_a_session_lives_as_long_as_what_uses_it() -> None:
    """libsrtp frees its context with the session: a packet protected after that would be a crash."""
    protect = protection(outgoing())
    gc.collect()
    protected = protect.rtp(rtp(1))
    assert protected is not None
    assert incoming().unprotect(protected) == rtp(1)
