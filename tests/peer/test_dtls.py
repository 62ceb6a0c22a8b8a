"""Two ends of DTLS, with what is between them in the test's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from aiortc.rtcdtlstransport import certificate_digest

from harness.peer.aiortc_internals import Certificate, new_certificate
from harness.peer.dtls import MOST_EARLY, MOST_FAILURES, Dtls
from tests.peer.pairs import until

Datagrams = list[bytes]


@dataclass
class DtlsEnd:
    """`lose`: which of the datagrams that it sends are lost."""

    role: str
    certificate: Certificate = field(default_factory=new_certificate)
    lose: Callable[[int], bool] = lambda _number: False
    other: DtlsEnd | None = None
    sent: int = 0
    failed: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    data: Datagrams = field(default_factory=list)
    cut: bool = False

    def __post_init__(self) -> None:
        self.dtls = Dtls(
            self.send, self.certificate, lambda where, error: self.failed.append(f"{where}: {error}")
        )
        self.dtls.set_role(self.role)
        self.dtls.on_state = lambda: self.states.append(self.dtls.state)
        self.dtls._register_data_receiver(self)

    def send(self, datagram: bytes) -> None:
        if self.cut:
            raise ConnectionError("no pair is nominated")
        self.sent += 1
        if self.other is not None and not self.lose(self.sent):
            asyncio.get_running_loop().call_soon(self.other.dtls.datagram, datagram)

    def packet(self, data: bytes) -> None:
        self.data.append(data)

    @property
    def print(self) -> tuple[tuple[str, str], ...]:
        return (("sha-256", self.certificate.fingerprint),)


def two() -> tuple[DtlsEnd, DtlsEnd]:
    client, server = DtlsEnd("client"), DtlsEnd("server")
    client.other, server.other = server, client
    return client, server


async def shake(client: DtlsEnd, server: DtlsEnd) -> None:
    await asyncio.gather(client.dtls.start(server.print), server.dtls.start(client.print))


async def test_both_ends_have_each_other_s_keys_and_carry_data() -> None:
    client, server = two()
    await shake(client, server)
    assert client.states == server.states == ["connecting", "connected"]
    assert client.dtls.sessions is not None
    assert server.dtls.sessions is not None
    packet = bytes.fromhex("806f0001000003e800000457") + b"payload"
    assert server.dtls.sessions[1].unprotect(client.dtls.sessions[0].protect(packet)) == packet
    assert client.dtls.sessions[1].unprotect(server.dtls.sessions[0].protect(packet)) == packet
    await client.dtls._send_data(b"hello")
    await until(lambda: server.data == [b"hello"])
    server.dtls.stop()
    await until(lambda: client.dtls.state == server.dtls.state == "closed")
    assert not client.failed + server.failed


async def test_what_comes_before_its_end_has_begun_waits() -> None:
    client, server = two()
    connecting = asyncio.create_task(client.dtls.start(server.print))
    await until(lambda: client.sent)
    await asyncio.sleep(0.01)
    assert server.sent == 0
    for _ in range(2 * MOST_EARLY):
        server.dtls.datagram(b"\x16nonsense")
    await server.dtls.start(client.print)
    await connecting
    assert client.sent == 2  # nothing again


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_flight_that_is_lost_is_sent_again(lost: int) -> None:
    client, server = two()
    client.lose = lambda number: number == lost
    await shake(client, server)
    assert client.sent == 3
    assert client.dtls.state == server.dtls.state == "connected"


async def test_another_certificate_than_the_announced_one_fails_with_both_digests() -> None:
    client, server = two()
    other = new_certificate()
    await asyncio.gather(
        client.dtls.start((("sha-256", other.fingerprint),)), server.dtls.start(client.print)
    )
    assert client.states == ["connecting", "failed"]
    actual = certificate_digest(server.certificate._cert, "sha-256")
    assert client.dtls.mismatch((("SHA-256", other.fingerprint),)) == ("sha-256", other.fingerprint, actual)
    assert (
        client.dtls.mismatch((("sha-512", certificate_digest(server.certificate._cert, "sha-512")),)) is None
    )
    assert client.dtls.mismatch((("md5", "00"),)) == ("", "", "")
    assert client.dtls.sessions is None


async def test_a_path_that_is_lost_ends_it_at_any_stage() -> None:
    client, server = two()
    client.cut = True
    await client.dtls.start(server.print)
    assert client.states == ["connecting", "failed"]
    shaking = asyncio.create_task(server.dtls.start(client.print))
    await until(lambda: server.states)
    server.dtls.lost()
    await shaking
    assert server.states == ["connecting", "failed"]
    client, server = two()
    await shake(client, server)
    client.dtls.lost()
    client.dtls.stop()
    assert client.states == ["connecting", "connected", "closed"]
    with pytest.raises(ConnectionError):
        await client.dtls._send_data(b"too late")


async def test_a_handshake_that_is_given_up_sends_nothing_more() -> None:
    client, server = two()
    client.other = None
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.dtls.start(server.print), 0.05)
    sent = client.sent
    await asyncio.sleep(1.2)  # OpenSSL would send its flight again after a second
    assert client.sent == sent
    assert client.dtls.state == "connecting"


async def test_what_a_reader_fails_in_is_told_until_it_is_too_much() -> None:
    client, server = two()
    await shake(client, server)

    def fail(_data: bytes) -> None:
        raise ValueError("of ours")

    server.packet = fail  # type: ignore[assignment, method-assign]  # a reader of the test's
    for number in range(MOST_FAILURES):
        assert server.dtls.state == "connected"
        await client.dtls._send_data(b"hello")
        await until(lambda expected=number + 1: len(server.failed) == expected)
    assert set(server.failed) == {"reading DTLS: of ours"}
    assert server.dtls.state == "closed"
