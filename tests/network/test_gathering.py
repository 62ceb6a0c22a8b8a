from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aioice import stun as stun_messages
from pydantic import SecretStr

from harness.config.ice import IceServer
from harness.core.clock import MonotonicClock
from harness.network.gathering import ServerGathering, ServerTried, resolve
from harness.peer.transport import Transport
from tests.support import stun as fakes
from tests.support.certificates import make_certificate
from tests.support.coturn import PASSWORD, USERNAME, Coturn, rest_credentials
from tests.support.stun import fake_ice_server

REST_SECRET = "shared-with-the-turn-server"


@asynccontextmanager
async def gathered(
    *servers: IceServer,
    within: float = 5.0,
    relay_only: bool = False,
    ca_file: Path | None = None,
    addresses: Sequence[str] = ("127.0.0.1",),
) -> AsyncIterator[tuple[Transport, dict[str, ServerTried]]]:
    """A transport that has asked the servers, and what came of each."""
    tried: list[ServerTried] = []
    transport = Transport(
        controlling=True,
        on_state=lambda *_: None,
        addresses=addresses,
        ask_servers=ServerGathering(
            servers=servers,
            clock=MonotonicClock(),
            on_tried=tried.append,
            within=within,
            relay_only=relay_only,
            ca_file=ca_file,
        ),
        relay_only=relay_only,
    )
    try:
        await transport.gather()
        yield transport, {server.url: server for server in tried}
    finally:
        await transport.close()


def stun(*urls: str) -> IceServer:
    return IceServer(urls)


def turn(*urls: str, username: str = USERNAME, credential: str = PASSWORD) -> IceServer:
    return IceServer(urls, username, SecretStr(credential))


def types(transport: Transport) -> list[str]:
    return [candidate.type for candidate in transport.candidates]


@pytest.mark.parametrize("delays", [(0.05, 0), (0, 0.05)], ids=["second first", "first first"])
async def test_every_server_of_several_is_asked_and_told_of(delays: tuple[float, float]) -> None:
    """Whoever answers first: candidates are in the order of the servers."""
    async with (
        fake_ice_server(fakes.maps_to("192.0.2.1"), delay=delays[0]) as one,
        fake_ice_server(fakes.maps_to("192.0.2.2"), delay=delays[1]) as two,
        gathered(stun(one.stun), stun(two.stun)) as (transport, tried),
    ):
        assert {url: server.error for url, server in tried.items()} == {one.stun: "", two.stun: ""}
        reflexive = [c.address for c in transport.candidates if c.type == "srflx"]
        assert reflexive == ["192.0.2.1", "192.0.2.2"]
        port = transport.candidates[0].port
        assert tried[one.stun].gave == (f"srflx 192.0.2.1:{port}",)


async def test_candidates_that_say_the_same_are_offered_once() -> None:
    """RFC 8445, section 5.1.3; that the server gave one is told all the same."""
    async with (
        fake_ice_server(fakes.answers) as open_network,
        fake_ice_server(fakes.maps_to("192.0.2.1")) as one,
        fake_ice_server(fakes.maps_to("192.0.2.1")) as two,
        gathered(stun(open_network.stun, one.stun, two.stun)) as (transport, tried),
    ):
        assert types(transport) == ["host", "srflx"]
        assert all(server.gave for server in tried.values())


async def test_a_dead_server_costs_its_own_time_only() -> None:
    async with (
        fake_ice_server(fakes.keeps_silent) as dead,
        fake_ice_server(fakes.maps_to("192.0.2.1")) as alive,
        gathered(stun(dead.stun), stun(alive.stun), within=1.5) as (transport, tried),
    ):
        assert (tried[dead.stun].error, tried[alive.stun].error) == ("timeout", "")
        assert tried[alive.stun].took < 1.5 <= tried[dead.stun].took
        assert types(transport) == ["host", "srflx"]


async def test_a_slow_server_is_waited_for_and_its_time_is_told() -> None:
    async with (
        fake_ice_server(fakes.maps_to("192.0.2.1"), delay=0.4) as slow,
        gathered(stun(slow.stun)) as (transport, tried),
    ):
        assert tried[slow.stun].took >= 0.4
        assert types(transport) == ["host", "srflx"]


async def test_a_host_address_that_nobody_answers_does_not_cost_the_whole_time() -> None:
    """A bridge of containers is such an address."""

    def answers_one_of_two(request: stun_messages.Message, addr: tuple[str, int]) -> fakes.Answer:
        return None if addr[0] == "127.0.0.2" else fakes.maps_to("192.0.2.1")(request, addr)

    async with (
        fake_ice_server(answers_one_of_two) as server,
        gathered(stun(server.stun), within=30, addresses=["127.0.0.1", "127.0.0.2"]) as (transport, tried),
    ):
        assert tried[server.stun].error == ""
        assert tried[server.stun].took < 10
        assert types(transport) == ["host", "host", "srflx"]


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (fakes.answers_without_address, "unusable: the answer has no XOR-MAPPED-ADDRESS"),
        (fakes.refuses(400, "Bad Request"), "400 Bad Request"),
    ],
    ids=["no address", "refused"],
)
async def test_what_a_server_answers_instead_is_told(behave: fakes.Behave, error: str) -> None:
    async with (
        fake_ice_server(behave) as server,
        gathered(stun(server.stun)) as (transport, tried),
    ):
        assert tried[server.stun].error == error
        assert types(transport) == ["host"]


async def test_a_name_that_does_not_exist_is_told() -> None:
    async with gathered(stun("stun:stun.invalid")) as (_, tried):
        assert tried["stun:stun.invalid"].error.startswith("unresolved: ")


async def test_turn_relays_over_udp_tcp_and_tls_and_udp_is_preferred(coturn: Coturn) -> None:
    server = turn(coturn.turns, coturn.turn_tcp, coturn.turn_udp)
    async with gathered(server, ca_file=coturn.certificate.ca) as (transport, tried):
        assert {url: each.error for url, each in tried.items()} == dict.fromkeys(server.urls, "")
        assert types(transport) == ["host", "relay", "relay", "relay"]
        best = max((c for c in transport.candidates if c.type == "relay"), key=lambda c: c.priority)
        assert tried[coturn.turn_udp].gave == (f"relay {best.address}:{best.port}",)
        assert len({c.priority for c in transport.candidates}) == 4


async def test_a_certificate_that_nobody_vouches_for_is_refused(coturn: Coturn) -> None:
    async with gathered(turn(coturn.turns)) as (transport, tried):
        assert tried[coturn.turns].error.startswith("certificate: ")
        assert types(transport) == ["host"]


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, ["turn.example.org"])
    with Coturn(tmp_path, certificate=certificate) as coturn:
        async with gathered(turn(coturn.turns), ca_file=certificate.ca) as (_, tried):
            assert "127.0.0.1" in tried[coturn.turns].error
            assert tried[coturn.turns].error.startswith("certificate: ")


async def test_a_relay_only_peer_offers_relayed_candidates_alone_and_asks_no_stun_server(
    coturn: Coturn,
) -> None:
    async with gathered(stun(coturn.stun), turn(coturn.turn_udp), relay_only=True) as (transport, tried):
        assert list(tried) == [coturn.turn_udp]
        assert types(transport) == ["relay"]


async def test_a_wrong_credential_is_refused_and_not_told(coturn: Coturn) -> None:
    wrong = turn(coturn.turn_udp, credential="wrong-password")
    async with gathered(wrong, within=30) as (_, tried):
        assert tried[coturn.turn_udp].error == "401 Unauthorized"
        assert tried[coturn.turn_udp].took < 15  # and not until the time is over


async def test_time_limited_credentials_work_until_they_expire(tmp_path: Path) -> None:
    with Coturn(tmp_path, rest_secret=REST_SECRET) as coturn:
        good, old = (rest_credentials(REST_SECRET, "caller", seconds=s) for s in (600, -7300))
        for (username, credential), error in (
            (good, ""),
            (old, "401 Unauthorized: the credential expired 2 hours ago"),
        ):
            server = turn(coturn.turn_udp, username=username, credential=credential)
            async with gathered(server) as (_, tried):
                assert tried[coturn.turn_udp].error == error


async def test_the_quota_of_a_user_is_named(tmp_path: Path) -> None:
    with Coturn(tmp_path, user_quota=1) as coturn:
        server = turn(coturn.turn_udp)
        async with gathered(server) as (_, first), gathered(server) as (_, second):
            assert first[coturn.turn_udp].error == ""
            assert second[coturn.turn_udp].error == "486 Allocation Quota Reached"
        # What was allocated is given back when a call ends; coturn counts it a second longer.
        async with asyncio.timeout(10):
            while True:
                async with gathered(server) as (_, third):
                    if third[coturn.turn_udp].error == "":
                        break
                await asyncio.sleep(0.2)


async def test_a_port_where_nobody_listens_is_unreachable_over_tcp(closed_port: int) -> None:
    url = f"turn:127.0.0.1:{closed_port}?transport=tcp"
    async with gathered(turn(url)) as (_, tried):
        assert tried[url].error.lower().startswith("unreachable: connection refused")


async def test_what_is_no_tls_is_told() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as mail:
        url = f"turns:127.0.0.1:{mail.sockets[0].getsockname()[1]}"
        async with gathered(turn(url)) as (_, tried):
            assert tried[url].error.startswith("tls: ")


async def test_a_turn_server_that_dies_does_not_hold_up_the_end_of_a_call(tmp_path: Path) -> None:
    coturn = Coturn(tmp_path).start()
    began = asyncio.get_running_loop().time()
    async with gathered(turn(coturn.turn_udp)):
        coturn.stop()
    assert asyncio.get_running_loop().time() - began < 15  # aioice alone would take over a minute
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_gathering_that_is_broken_off_leaves_nothing(coturn: Coturn) -> None:
    tried: list[ServerTried] = []
    async with fake_ice_server(fakes.keeps_silent) as dead:
        asking = ServerGathering(
            servers=[turn(coturn.turn_udp), stun(dead.stun)],
            clock=MonotonicClock(),
            on_tried=tried.append,
            within=30,
        )
        transport = Transport(
            controlling=True, on_state=lambda *_: None, addresses=["127.0.0.1"], ask_servers=asking
        )
        gathering = asyncio.create_task(transport.gather())
        async with asyncio.timeout(5):
            while not (tried and dead.requests):
                await asyncio.sleep(0.01)
        gathering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gathering
        await transport.close()
    async with asyncio.timeout(5):
        while asyncio.all_tasks() != {asyncio.current_task()}:
            await asyncio.sleep(0.01)


async def test_without_servers_nobody_is_asked() -> None:
    async with gathered() as (transport, tried):
        assert (types(transport), tried) == (["host"], {})


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
async def test_a_name_that_is_blocked_is_unresolved_and_not_silent(address: str) -> None:
    """As a blocking name server answers; sent there, a request would come to this machine itself."""
    with pytest.raises(socket.gaierror, match="blocks it"):
        await resolve(address, 3478)
