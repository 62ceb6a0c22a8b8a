from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path

import pytest
from aioice import stun as stun_messages
from aioice.turn import create_turn_endpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from harness.config.ice import IceServer
from harness.network.probing import Probe, probe_all
from tests.support import stun as fakes
from tests.support.coturn import PASSWORD, REALM, USERNAME, Coturn, rest_credentials
from tests.support.stun import fake_ice_server

REST_SECRET = "shared-with-the-turn-server"
TURN_STEPS = ["resolve", "binding", "allocate", "permission", "data"]


class Holder(asyncio.DatagramProtocol):
    """Has an allocation, and does nothing with it."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def connection_lost(self, _error: Exception | None) -> None:
        self.gone.set()


def stun(url: str) -> IceServer:
    return IceServer((url,))


def turn(*urls: str, username: str = USERNAME, credential: str = PASSWORD) -> IceServer:
    return IceServer(urls, username, SecretStr(credential))


async def probe(server: IceServer, within: float = 5.0, **more: object) -> Probe:
    (found,) = await probe_all([server], within=within, **more)  # type: ignore[arg-type]  # whatever a test wants
    return found


def slug(probe: Probe) -> str | None:
    return probe.cause.slug if probe.cause else None


async def test_every_transport_to_a_good_server_relays_data(coturn: Coturn) -> None:
    urls = (coturn.turn_udp, coturn.turn_tcp, coturn.turns)
    udp, tcp, tls = await probe_all([turn(*urls)], ca_file=coturn.certificate.ca)
    for found in (udp, tcp, tls):
        assert found.works, found.steps
        assert [step.name for step in found.steps if step.name != "connect"] == TURN_STEPS
        assert found.steps[-1].detail == "out and back through its own address"
        assert found.realm == REALM
    assert [c.partition(" ")[0] for c in udp.candidates] == ["srflx", "relay"]
    assert [c.partition(" ")[0] for c in tcp.candidates + tls.candidates] == ["relay", "relay"]
    connects = [[s.detail for s in found.steps if s.name == "connect"] for found in (udp, tcp, tls)]
    assert connects == [[], ["TCP"], ["TLS"]]


async def test_stun_is_asked_over_udp_and_over_tls(coturn: Coturn) -> None:
    secure = f"stuns:{coturn.host}:{coturn.tls_port}"
    for url in (coturn.stun, secure):
        found = await probe(stun(url), ca_file=coturn.certificate.ca)
        assert found.works, found.steps
        assert found.candidates[0].startswith("srflx 127.0.0.1:")


async def test_a_wrong_credential_is_told_from_a_server_that_is_not_there(coturn: Coturn) -> None:
    found = await probe(turn(coturn.turn_udp, credential="wrong-password"))
    assert slug(found) == "wrong-credentials"
    assert [(step.name, step.error) for step in found.steps[1:]] == [
        ("binding", ""),
        ("allocate", "401 Unauthorized"),
    ]


async def test_an_unknown_user_is_told_alike(coturn: Coturn) -> None:
    assert slug(await probe(turn(coturn.turn_udp, username="nobody"))) == "wrong-credentials"


async def test_another_realm_than_the_expected_one_is_named_first(coturn: Coturn) -> None:
    assert (await probe(turn(coturn.turn_udp), realm=REALM)).works
    for server in (turn(coturn.turn_udp), turn(coturn.turn_udp, credential="wrong-password")):
        found = await probe(server, realm="example.org")
        assert slug(found) == "wrong-realm"
        assert found.cause is not None
        assert REALM in found.cause.seen


async def test_time_limited_credentials_are_told_from_wrong_ones(tmp_path: Path) -> None:
    with Coturn(tmp_path, rest_secret=REST_SECRET) as coturn:
        found = []
        for seconds, secret in ((600, REST_SECRET), (-60, REST_SECRET), (600, "another-secret")):
            username, credential = rest_credentials(secret, "caller", seconds=seconds)
            found.append(slug(await probe(turn(coturn.turn_udp, username=username, credential=credential))))
    assert found == [None, "expired-credentials", "wrong-credentials"]


async def test_a_used_up_quota_is_named(tmp_path: Path) -> None:
    with Coturn(tmp_path, user_quota=1) as coturn:
        server = (coturn.host, coturn.port)
        allocation, holder = await create_turn_endpoint(Holder, server, USERNAME, PASSWORD)
        found = await probe(turn(coturn.turn_udp))
        allocation.close()
        await asyncio.wait_for(holder.gone.wait(), 5)
    assert slug(found) == "quota"


async def test_a_server_that_may_not_relay_to_any_address_tried_is_named(tmp_path: Path) -> None:
    with Coturn(tmp_path, more=["denied-peer-ip=127.0.0.1"]) as coturn:
        found = await probe(turn(coturn.turn_udp))
    assert slug(found) == "forbidden"
    assert found.steps[-1].name == "permission"


async def test_a_server_that_may_not_relay_to_itself_is_tried_from_this_machine(tmp_path: Path) -> None:
    with Coturn(tmp_path, addresses=["127.0.0.2"], more=["denied-peer-ip=127.0.0.2"]) as coturn:
        found = await probe(turn(coturn.turn_udp))
    assert found.works, found.steps
    details = [step.detail for step in found.steps[-2:]]
    assert details == ["for 127.0.0.1", "between this machine and the relay"]


async def test_a_server_on_ipv6_is_probed_and_one_that_relays_no_ipv4_is_named(tmp_path: Path) -> None:
    both = ["allocation-default-address-family=ipv6"]
    with (
        Coturn(tmp_path, addresses=["::1"]) as alone,
        Coturn(tmp_path / "b", addresses=["::1"], more=both) as v6,
    ):
        refused, found = await probe_all([turn(alone.turn_udp), turn(v6.turn_udp)])
    assert slug(refused) == "no-ipv4"
    assert found.works, found.steps
    assert [c.startswith(("srflx ::1:", "relay ::1:")) for c in found.candidates] == [True, True]


async def test_a_server_for_stun_alone_is_named(tmp_path: Path) -> None:
    with Coturn(tmp_path, more=["stun-only"]) as coturn:
        assert slug(await probe(turn(coturn.turn_udp), within=1.0)) == "stun-only"


async def test_a_turn_server_that_answers_no_binding_works_all_the_same(tmp_path: Path) -> None:
    with Coturn(tmp_path, more=["no-stun"]) as coturn:
        found = await probe(turn(coturn.turn_udp))
    assert found.works, found.steps
    assert "TURN works without" in found.steps[1].detail


async def test_relayed_ports_that_are_shut_are_named(tmp_path: Path) -> None:
    """Its own address is announced as one that leads nowhere, as with a wrong external-ip."""
    with Coturn(tmp_path, more=["external-ip=127.9.9.9"]) as coturn:
        found = await probe(turn(coturn.turn_udp), within=2.0)
    assert (slug(found), found.steps[-1].name) == ("no-data", "data")


@pytest.mark.parametrize("kind", ["stun", "turn"])
async def test_silence_is_told_from_a_port_where_nobody_listens(kind: str) -> None:
    async with fake_ice_server(fakes.keeps_silent) as server:
        make = stun if kind == "stun" else turn
        found = await probe(make(getattr(server, kind)), within=0.3)
    assert (slug(found), found.steps[-1].error) == ("unreachable", "timeout")
    again = await probe(make(getattr(server, kind)), within=5.0)
    assert (slug(again), again.steps[-1].error) == ("unreachable", "unreachable: Connection refused")


async def test_a_port_that_takes_connections_and_says_nothing_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = await probe(turn(f"turn:127.0.0.1:{server.getsockname()[1]}?transport=tcp"), within=1.0)
    assert slug(found) == "silent"
    assert [step.name for step in found.steps] == ["resolve", "connect", "allocate"]


async def test_a_port_that_hangs_up_is_told_at_once() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        url = f"turn:127.0.0.1:{server.sockets[0].getsockname()[1]}?transport=tcp"
        found = await probe(turn(url), within=60.0)
    assert slug(found) == "unreachable"


@pytest.mark.parametrize(
    ("behave", "expected"),
    [
        (fakes.refuses(508, "Insufficient Capacity"), "no-capacity"),
        (fakes.refuses(437, ""), "refused"),
        (fakes.answers_without_address, "no-address"),
    ],
)
async def test_what_a_turn_server_answers_instead_is_named(behave: fakes.Behave, expected: str) -> None:
    async with fake_ice_server(behave) as server:
        assert slug(await probe(turn(server.turn))) == expected


async def test_what_a_server_says_cannot_take_over_a_terminal() -> None:
    async with fake_ice_server(fakes.refuses(401, "\x1b[2J\r\nUnauthorized" + 400 * "x")) as server:
        said = (await probe(turn(server.turn))).steps[-1].error
    assert said.startswith("401 [2JUnauthorizedx")
    assert said.isprintable()
    assert len(said) < 300


KINDS_OF_ATTRIBUTES = sorted(stun_messages.ATTRIBUTES_BY_TYPE)


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


@settings(max_examples=60)
@given(
    attributes=st.lists(st.builds(attribute, st.sampled_from(KINDS_OF_ATTRIBUTES), st.binary(max_size=12))),
    kind=st.sampled_from([0x0101, 0x0103, 0x0111, 0x0113, 0x4000]),
)
def test_whatever_a_server_answers_is_a_verdict_and_no_crash(attributes: list[bytes], kind: int) -> None:
    body = b"".join(attributes)

    def behave(request: stun_messages.Message, addr: tuple[str, int]) -> fakes.Answer:
        head = struct.pack("!HHI12s", kind, len(body), stun_messages.COOKIE, request.transaction_id)
        return head + body

    async def probed() -> list[Probe]:
        crashes: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: crashes.append(context))
        async with fake_ice_server(behave) as server:
            found = await probe_all([stun(server.stun), turn(server.turn)], within=0.05)
        assert crashes == []
        return found

    for found in asyncio.run(probed()):
        assert found.works or found.cause is not None
        assert all(step.error.isprintable() for step in found.steps)


@pytest.mark.parametrize("length", [0, 3, 8])
async def test_a_malformed_answer_is_named_at_once(length: int) -> None:
    """An attribute whose length is not that of its kind: LIFETIME has four bytes (RFC 8656, section 18.2)."""
    body = attribute(0x000D, bytes(length))

    def behave(request: stun_messages.Message, addr: tuple[str, int]) -> fakes.Answer:
        head = struct.pack("!HHI12s", 0x0103, len(body), stun_messages.COOKIE, request.transaction_id)
        return head + body

    async with fake_ice_server(behave) as server:
        found = await probe(turn(server.turn), within=30.0)
    assert (slug(found), found.steps[-1].error) == ("no-address", "unusable: an answer that is malformed")


async def test_a_stun_server_of_the_old_kind_is_named() -> None:
    async with fake_ice_server(fakes.answers_without_address) as server:
        assert slug(await probe(stun(server.stun))) == "no-address"


async def test_a_name_that_does_not_exist_and_an_untrusted_certificate_are_named(coturn: Coturn) -> None:
    unresolved, untrusted = await probe_all([stun("stun:stun.invalid"), turn(coturn.turns)])
    assert (slug(unresolved), slug(untrusted)) == ("unresolved", "certificate")


async def test_plain_tcp_behind_a_url_of_tls_is_named() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as mail:
        url = f"turns:127.0.0.1:{mail.sockets[0].getsockname()[1]}"
        assert slug(await probe(turn(url))) == "no-tls"


async def test_a_probe_leaves_nothing_behind(coturn: Coturn) -> None:
    async with fake_ice_server(fakes.keeps_silent) as dead:
        await probe_all([turn(coturn.turn_udp, coturn.turn_tcp), turn(dead.turn)], within=0.3)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_servers_are_probed_side_by_side() -> None:
    """Nobody is answered before all have asked: one after the other, they would wait in vain."""

    def behave(request: stun_messages.Message, addr: tuple[str, int]) -> fakes.Answer:
        asked.add(addr)
        return fakes.maps_to("192.0.2.1")(request, addr) if len(asked) == 10 else None

    asked = set[tuple[str, int]]()
    async with fake_ice_server(behave) as server:
        probes = await probe_all([stun(server.stun)] * 10, within=10)
    assert [probe.steps[-1].error for probe in probes] == [""] * 10
    assert len(asked) == 10
