"""The floor: what SRTP and the system calls of one call-second cost by themselves, in Python, on one core."""

from __future__ import annotations

import secrets
import socket

from pylibsrtp import Policy, Session

from harness.core.clock import process_cpu_seconds

PACKETS = 50  # a second, each way
PAYLOAD = 80  # bytes: 32 kbit/s
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_256_GCM  # what two ends of aiortc agree on
SECONDS = 600  # of a call, at full speed
WHERE_BARS_WERE_SET = 0.31  # ms: how fast that machine was, on which numbers of calls depend


def cpu_ms_per_call_second(seconds: int = SECONDS) -> float:
    """50 packets protected and sent, 50 received and opened."""
    key = secrets.token_bytes(44)
    outgoing = Session(Policy(key, Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE))
    incoming = Session(Policy(key, Policy.SSRC_ANY_INBOUND, srtp_profile=PROFILE))
    payload = secrets.token_bytes(PAYLOAD)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
    ):
        far.bind(("127.0.0.1", 0))
        address = far.getsockname()
        started = process_cpu_seconds()
        for number in range(seconds * PACKETS):
            header = b"\x80\x6f" + (number & 0xFFFF).to_bytes(2, "big") + number.to_bytes(4, "big") + b"ssrc"
            near.sendto(outgoing.protect(header + payload), address)
            incoming.unprotect(far.recv(2048))
        return 1000 * (process_cpu_seconds() - started) / seconds
