"""DTLS (RFC 6347) with SRTP's keys (RFC 5764) on OpenSSL: without a task, a datagram is read when it comes.

aiortc's transport has a queue, a task and a router for its own media above each call's OpenSSL. Here is what
is left without them; its SCTP goes over it as over aiortc's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

from aiortc.rtcdtlstransport import SRTP_PROFILES, SRTPProtectionProfile
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from harness.peer.aiortc_internals import Certificate

MOST_FAILURES = 100
MOST_EARLY = 256  # datagrams: the first flight, again and again, among what anybody sends
LONGEST_RECORD = 1500  # bytes: more than a datagram carries
REPLAY_WINDOW = 1024  # packets
LABEL = b"EXTRACTOR-dtls_srtp"  # RFC 5764, section 4.2
DIGESTS = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}


class DataReceiver(Protocol):
    """What gets the data that DTLS carries: SCTP."""

    def packet(self, data: bytes, /) -> None: ...


class Dtls:
    """One call's DTLS. `on_state` is called when `state` has changed.

    States are W3C's: new, connecting, connected, closed, failed. `send` sends a datagram, and raises
    ConnectionError where there is no path. `on_failed` is told where it failed, and in what; after too often,
    DTLS is over. What comes before it can be read waits.
    """

    def __init__(
        self,
        send: Callable[[bytes], None],
        certificate: Certificate,
        on_failed: Callable[[str, Exception], None],
    ) -> None:
        self.state = "new"
        self.on_state: Callable[[], None] = lambda: None
        self.sessions: tuple[Session, Session] | None = None  # for sending and receiving, once connected
        self._send_datagram = send
        self._certificate = certificate
        self._on_failed = on_failed
        self._failures = 0
        self._role = "server"
        self._ssl: SSL.Connection | None = None
        self._early: list[bytes] = []
        self._reading = False
        self._timer: asyncio.TimerHandle | None = None
        self._shaken: asyncio.Future[bool] | None = None
        self._receiver: DataReceiver | None = None

    def set_role(self, role: str) -> None:
        """`client` (our answer or theirs says we are active) or `server`."""
        self._role = role

    async def start(self, fingerprints: Sequence[tuple[str, str]]) -> None:
        """Shake hands with who has a certificate of these fingerprints; the state tells how that ended."""
        loop = asyncio.get_running_loop()
        self._ssl = SSL.Connection(self._certificate.context())
        if self._role == "server":
            self._ssl.set_accept_state()
        else:
            self._ssl.set_connect_state()
        self._shaken = loop.create_future()
        self._set_state("connecting")
        self._reading = True
        try:
            self._shake_hands()
            self._read_early()
            done = await self._shaken
        except ConnectionError:
            done = False
        finally:
            self._reading = False
            if not self._shaken.done() or self._shaken.cancelled():
                self._stop_timer()  # given up
        if not done:
            self._set_state("failed")
            return
        if self.mismatch(fingerprints) is not None or not self._take_keys(self._ssl):
            self._set_state("failed")
            return
        self._set_state("connected")
        loop.call_soon(self._go_on)  # when whoever waits for us has had the chance to receive

    def datagram(self, datagram: bytes) -> None:
        """Take one that came."""
        if not self._reading:
            if self.state in ("new", "connecting", "connected") and len(self._early) < MOST_EARLY:
                self._early.append(datagram)
            return
        try:
            self._read(datagram)
        except ConnectionError:
            self.lost()
        except Exception as error:  # whatever a datagram made of it, the next may be read
            self._failures += 1
            self._on_failed("reading DTLS", error)
            if self._failures >= MOST_FAILURES:
                self.lost()

    def lost(self) -> None:
        """There is nothing more to read."""
        self._stop_timer()
        self._reading = False
        if self.state == "connected":
            self._set_state("closed")
        elif self._shaken is not None and not self._shaken.done():
            self._shaken.set_result(False)

    def stop(self) -> None:
        """Say goodbye and be closed; idempotent."""
        was = self.state
        self._reading = False
        self._stop_timer()
        if self._ssl is not None and was in ("connecting", "connected"):
            with contextlib.suppress(SSL.Error):
                self._ssl.shutdown()
            with contextlib.suppress(ConnectionError):
                self._flush(self._ssl)
        if was == "connected":
            self._set_state("closed")

    def mismatch(self, fingerprints: Sequence[tuple[str, str]]) -> tuple[str, str, str] | None:
        """The algorithm, and its digest as announced and as it is, where they differ; None where all agree.

        Empty words where there is no certificate, or no algorithm that we know.
        """
        certificate = self._ssl.get_peer_certificate() if self._ssl is not None else None
        if certificate is None:
            return "", "", ""
        known = [(a.lower(), value) for a, value in fingerprints if a.lower() in DIGESTS]
        for algorithm, value in known:
            actual = certificate.digest(DIGESTS[algorithm]).decode()
            if actual != value.upper():
                return algorithm, value, actual
        return None if known else ("", "", "")

    # --- what aiortc's SCTP asks of its transport ---

    def _register_data_receiver(self, receiver: DataReceiver) -> None:
        self._receiver = receiver

    def _unregister_data_receiver(self, _receiver: DataReceiver) -> None:
        self._receiver = None

    async def _send_data(self, data: bytes) -> None:
        if self.state != "connected" or self._ssl is None:
            raise ConnectionError("DTLS is not connected")
        self._ssl.send(data)
        self._flush(self._ssl)

    # --- ours ---

    def _set_state(self, state: str) -> None:
        self.state = state
        self.on_state()

    def _go_on(self) -> None:
        if self.state == "connected":
            self._reading = True
            self._read_early()

    def _read_early(self) -> None:
        early, self._early = self._early, []
        for datagram in early:
            self.datagram(datagram)

    def _read(self, datagram: bytes) -> None:
        ssl = self._ssl
        if ssl is None or not datagram:
            return
        ssl.bio_write(datagram)
        if self.state == "connecting":
            self._shake_hands()
            return
        try:
            data = ssl.recv(LONGEST_RECORD)
        except SSL.ZeroReturnError:
            self._flush(ssl)
            raise ConnectionError("closed by the other end") from None
        except SSL.Error:
            data = b""
        self._flush(ssl)
        if self._timer is not None:
            self._time()
        if data and self._receiver is not None:
            self._receiver.packet(data)

    def _shake_hands(self) -> None:
        """As far as what has come allows."""
        ssl, shaken = self._ssl, self._shaken
        if ssl is None or shaken is None or shaken.done():
            return
        try:
            ssl.do_handshake()
        except SSL.WantReadError:
            self._flush(ssl)
        except SSL.Error:
            self._flush(ssl)
            self.lost()
            return
        else:
            self._flush(ssl)
            self._reading = False
            shaken.set_result(True)
        self._time()

    def _flush(self, ssl: SSL.Connection) -> None:
        """Send what OpenSSL has written."""
        try:
            data = ssl.bio_read(LONGEST_RECORD)
        except SSL.Error:
            return
        self._send_datagram(data)

    def _time(self) -> None:
        """Let OpenSSL send a flight again when it is due."""
        self._stop_timer()
        wait = self._ssl.DTLSv1_get_timeout() if self._ssl is not None else None
        if wait is not None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._due)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        if self._ssl is None:
            return
        try:
            self._ssl.DTLSv1_handle_timeout()
            self._flush(self._ssl)
        except ConnectionError:
            self.lost()
        except SSL.Error as error:
            self._on_failed("sending DTLS again", error)
        else:
            self._time()

    def _take_keys(self, ssl: SSL.Connection) -> bool:
        """SRTP's; False where no profile was agreed on."""
        agreed = ssl.get_selected_srtp_profile()
        profile = next((p for p in SRTP_PROFILES if p.openssl_profile == agreed), None)
        if profile is None:
            return False
        keys = ssl.export_keying_material(LABEL, 2 * (profile.key_length + profile.salt_length))
        ours = 1 if self._role == "server" else 0
        self.sessions = (
            _session(profile, profile.get_key_and_salt(keys, ours), Policy.SSRC_ANY_OUTBOUND),
            _session(profile, profile.get_key_and_salt(keys, 1 - ours), Policy.SSRC_ANY_INBOUND),
        )
        return True


def _session(profile: SRTPProtectionProfile, key: bytes, direction: int) -> Session:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp_profile)
    policy.allow_repeat_tx = True
    policy.window_size = REPLAY_WINDOW
    return Session(policy)
