"""A real STUN and TURN server for a test: Debian's coturn, with settings and files of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.certificates import TestCertificate, make_certificate
from tests.support.programs import ending_with_us, needs_program

USERNAME, PASSWORD = "caller", "turn-password-of-a-test"
REALM = "harness.test"
START_SECONDS = 15.0
STOP_SECONDS = 5.0
ATTEMPTS = 5  # somebody else may take a free port between our look and coturn's bind


class Coturn:
    """`with Coturn(folder) as coturn:` — running when entered, gone when left.

    `addresses`: where it listens and relays. `prefix`: a command to run it with, such as `ip netns exec X`;
    ports must then be given, since free ones cannot be looked for from here. `users`: long-term credentials;
    `rest_secret`: time-limited ones instead, see `rest_credentials`. `discovery`: tells callers how their NAT
    behaves (RFC 5780; takes two addresses). `more`: lines for turnserver.conf.
    """

    def __init__(
        self,
        folder: Path,
        *,
        addresses: Sequence[str] = ("127.0.0.1",),
        port: int = 0,
        tls_port: int = 0,
        prefix: Sequence[str] = (),
        users: Mapping[str, str] | None = None,
        rest_secret: str = "",
        user_quota: int = 0,
        certificate: TestCertificate | None = None,
        discovery: bool = False,
        more: Sequence[str] = (),
    ) -> None:
        self.host = addresses[0]
        self._shown_host = f"[{self.host}]" if ":" in self.host else self.host
        self.port = port
        self.tls_port = tls_port
        self.log = folder / "turnserver.log"
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = certificate or make_certificate(folder, [*addresses, "localhost"])
        self._program = [*prefix, *ending_with_us([needs_program("turnserver")])]
        self._folder = folder
        self._lines = [
            *(f"listening-ip={address}\nrelay-ip={address}" for address in addresses),
            f"realm={REALM}",
            f"cert={self.certificate.certificate}",
            f"pkey={self.certificate.key}",
            *(["use-auth-secret", f"static-auth-secret={rest_secret}"] if rest_secret else ["lt-cred-mech"]),
            *(f"user={u}:{p}" for u, p in ({} if rest_secret else users or {USERNAME: PASSWORD}).items()),
            *([f"user-quota={user_quota}"] if user_quota else []),
            "allow-loopback-peers",  # the fake's peer is on loopback
            *("no-cli", "no-dtls", "relay-threads=1"),
            *([] if discovery else ["no-rfc5780"]),
            *("simple-log", "verbose", f"log-file={self.log}", "no-stdout-log"),
            *(f"pidfile={folder}/turnserver.pid", f"userdb={folder}/turndb"),
            *more,
        ]
        self._chosen = (port, tls_port)
        self._process: subprocess.Popen[bytes] | None = None

    # --- its URLs, as browsers take them ---

    @property
    def stun(self) -> str:
        return f"stun:{self._shown_host}:{self.port}"

    @property
    def turn_udp(self) -> str:
        return f"turn:{self._shown_host}:{self.port}?transport=udp"

    @property
    def turn_tcp(self) -> str:
        return f"turn:{self._shown_host}:{self.port}?transport=tcp"

    @property
    def turns(self) -> str:
        return f"turns:{self._shown_host}:{self.tls_port}?transport=tcp"

    # --- its life ---

    def start(self) -> Self:
        """Return when every listener is open."""
        for _ in range(1 if all(self._chosen) else ATTEMPTS):
            self.port, self.tls_port = (port or _free_port(self.host) for port in self._chosen)
            if self._started():
                return self
            self.stop()
        raise RuntimeError(f"coturn did not start; its log:\n{self._said()[-3000:]}")

    def stop(self) -> None:
        """Return when the process is gone; idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _started(self) -> bool:
        self.log.unlink(missing_ok=True)
        ports = [f"listening-port={self.port}", f"tls-listening-port={self.tls_port}"]
        configuration = self._folder / "turnserver.conf"
        configuration.write_text("\n".join([*self._lines, *ports]) + "\n", encoding="utf-8")
        self._process = subprocess.Popen(
            [*self._program, "-c", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        listeners = {("UDP", str(self.port)), ("TCP", str(self.port)), ("TCP", str(self.tls_port))}
        while time.monotonic() < deadline and self._process.poll() is None:
            said = self._said()
            if "Cannot bind" in said:
                return False
            # `IPv4. UDP listener opened on: 127.0.0.1:3478`
            found = re.findall(r"(UDP|TCP) listener opened on ?: \S+:(\d+)\n", said)
            if listeners <= set(found):
                return True
            time.sleep(0.02)
        return False

    def _said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""


def rest_credentials(secret: str, user: str, *, seconds: float) -> tuple[str, str]:
    """Username and credential that expire `seconds` from now (draft-uberti-behave-turn-rest, section 2.2)."""
    username = f"{int(time.time() + seconds)}:{user}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def _free_port(host: str) -> int:
    """One that is free for TCP and UDP at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(100):
        with (
            socket.socket(family, socket.SOCK_STREAM) as tcp,
            socket.socket(family, socket.SOCK_DGRAM) as udp,
        ):
            tcp.bind((host, 0))
            port = int(tcp.getsockname()[1])
            try:
                udp.bind((host, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")
