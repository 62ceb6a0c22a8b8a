"""Each private name of aiortc and aioice that harness/peer uses, one test a name."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import pytest
from aioice.ice import Connection, StunProtocol
from aioice.stun import Class, Message, Method
from aiortc import RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RTCSctpTransport
from OpenSSL import SSL

from harness.peer import aiortc_internals
from harness.peer.agents import FullAgent
from harness.peer.aiortc_internals import new_certificate
from harness.peer.association import BY_TIMER, IN_TASKS
from harness.peer.dtls import Dtls
from harness.peer.ice import Ice
from tests.peer.pairs import connected_pair

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0"}


@pytest.mark.parametrize(("package", "version"), PINNED.items())
def test_the_installed_release_is_the_one_these_names_were_read_in(package: str, version: str) -> None:
    assert importlib.metadata.version(package) == version


@pytest.mark.parametrize(
    "name",
    [
        "_protocols",
        "_nominated",
        "ice_controlling",
        "_emit_event",
        "_local_candidates",
        "_local_candidates_end",
        "_remote_candidates_end",
        "_check_list_maybe_complete",
        "_check_list_state",
        "_early_checks",
        "_early_checks_done",
        "_tie_breaker",
        "_valid_username",
        "build_request",
        "check_complete",
        "check_incoming",
        "close",
        "data_received",
        "protocol_lost",
        "check_start",
        "check_state",
        "query_consent",
        "request_received",
        "switch_role",
    ],
)
async def test_an_ice_connection_has(name: str) -> None:
    assert hasattr(Connection(ice_controlling=True), name)


@pytest.mark.parametrize(
    "name", ["connection_lost", "connection_made", "datagram_received", "error_received", "send_stun"]
)
async def test_a_stun_protocol_has(name: str) -> None:
    assert hasattr(StunProtocol(Connection(ice_controlling=True)), name)


def dtls(send: Callable[[bytes], None] = lambda _: None) -> Dtls:
    return Dtls(send, new_certificate(), lambda _where, error: pytest.fail(str(error)))


@pytest.mark.parametrize(
    "name", ["state", "_role", "_register_data_receiver", "_unregister_data_receiver", "_send_data"]
)
async def test_ours_has_what_sctp_asks_of_aiortc_s_dtls(name: str) -> None:
    theirs = RTCDtlsTransport(RTCIceTransport(RTCIceGatherer(iceServers=[])), [new_certificate()])
    assert hasattr(theirs, name)
    assert hasattr(dtls(), name)


@pytest.mark.parametrize(
    "name",
    [
        *IN_TASKS,
        *BY_TIMER,
        "_association_state",
        "_data_channels",
        "_handle_data",
        "_last_received_tsn",
        "_receive",
        "_sack_duplicates",
        "_sack_misordered",
        "_send_sack",
        "_set_state",
        "state",
    ],
)
async def test_an_sctp_transport_has(name: str) -> None:
    over: Any = dtls()
    assert hasattr(RTCSctpTransport(over), name)


@pytest.mark.parametrize("kind", Class)
def test_a_stun_message_begins_with_its_method_and_class(kind: Class) -> None:
    message = Message(message_method=Method.BINDING, message_class=kind)
    assert bytes(message)[:2] == bytes(divmod(message.message_method | message.message_class, 256))


async def _gathered(addresses: list[str] | None, *, relay_only: bool = False) -> list[str]:
    agent = FullAgent(ufrag="abcd", pwd="p" * 22, controlling=True, relay_only=relay_only, check_seconds=5.0)
    ice = Ice(agent, addresses=addresses, ask_servers=None, relay_only=relay_only)
    await ice.gather()
    await ice.stop()
    return [candidate.address for candidate in ice.candidates]


async def test_interfaces_are_asked_only_where_no_address_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def interfaces(*, use_ipv4: bool, use_ipv6: bool) -> list[str]:
        asked.append(use_ipv4 and use_ipv6)
        return ["127.0.0.2"]

    monkeypatch.setattr(aiortc_internals, "get_host_addresses", interfaces)
    assert await _gathered(["127.0.0.1"]) == ["127.0.0.1"]
    assert await _gathered(None, relay_only=True) == []
    assert not asked
    assert await _gathered(None) == ["127.0.0.2"]
    assert asked == [True]


def test_the_calls_of_a_certificate_share_one_openssl_context_that_resumes_no_session() -> None:
    certificate = new_certificate()
    context = certificate.context()
    assert certificate.context() is context
    assert context.get_session_cache_mode() == SSL.SESS_CACHE_OFF
    assert new_certificate().context() is not context


async def test_a_handshake_takes_its_context_from_the_certificate() -> None:
    async with connected_pair() as (caller, callee, _channel):
        ours, theirs = (end.transport._dtls._ssl for end in (caller, callee))
        assert ours is not None
        assert theirs is not None
        assert ours.get_context() is theirs.get_context()  # the process has one certificate
