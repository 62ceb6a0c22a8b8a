"""Each private name of aiortc and aioice that harness/peer uses, one test a name."""

from __future__ import annotations

import importlib.metadata

import pytest
from aioice.ice import Connection, StunProtocol
from aioice.stun import Class, Message, Method
from aiortc import RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RTCSctpTransport
from aiortc.rtcdtlstransport import SRTP_PROFILES
from OpenSSL import SSL

from harness.peer import aiortc_internals
from harness.peer.agents import FullAgent
from harness.peer.aiortc_internals import new_certificate, new_gatherer
from harness.peer.association import BY_TIMER, IN_TASKS
from tests.peer.pairs import connected_pair

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0"}


@pytest.mark.parametrize(("package", "version"), PINNED.items())
def test_the_installed_release_is_the_one_these_names_were_read_in(package: str, version: str) -> None:
    assert importlib.metadata.version(package) == version


@pytest.fixture
async def gatherer() -> RTCIceGatherer:
    return RTCIceGatherer(iceServers=[])


@pytest.mark.parametrize(
    "name",
    [
        "_protocols",
        "_nominated",
        "ice_controlling",
        "gather_candidates",
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
        "check_start",
        "check_state",
        "query_consent",
        "request_received",
        "switch_role",
    ],
)
async def test_an_ice_connection_has(gatherer: RTCIceGatherer, name: str) -> None:
    assert hasattr(gatherer._connection, name)


@pytest.mark.parametrize(
    "name", ["connection_lost", "connection_made", "datagram_received", "error_received", "send_stun"]
)
async def test_a_stun_protocol_has(name: str) -> None:
    assert hasattr(StunProtocol(Connection(ice_controlling=True)), name)


@pytest.mark.parametrize(
    "name",
    ["_recv_next", "_rx_srtp", "_tx_srtp", "_ssl", "_task", "_set_role", "_role", "_rtp_router", "_state"],
)
async def test_a_dtls_transport_has(gatherer: RTCIceGatherer, name: str) -> None:
    assert hasattr(RTCDtlsTransport(RTCIceTransport(gatherer), [new_certificate()]), name)


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
async def test_an_sctp_transport_has(gatherer: RTCIceGatherer, name: str) -> None:
    dtls = RTCDtlsTransport(RTCIceTransport(gatherer), [new_certificate()])
    assert hasattr(RTCSctpTransport(dtls), name)


@pytest.mark.parametrize("kind", Class)
def test_a_stun_message_begins_with_its_method_and_class(kind: Class) -> None:
    message = Message(message_method=Method.BINDING, message_class=kind)
    assert bytes(message)[:2] == bytes(divmod(message.message_method | message.message_class, 256))


async def _gathered(addresses: list[str] | None, *, relay_only: bool = False) -> list[str]:
    gatherer = new_gatherer(
        agent=FullAgent(
            ufrag="abcd", pwd="p" * 22, controlling=True, relay_only=relay_only, check_seconds=5.0
        ),
        ask_servers=None,
        relay_only=relay_only,
        addresses=addresses,
    )
    await gatherer.gather()
    found = [candidate.ip for candidate in gatherer.getLocalCandidates()]
    await aiortc_internals.stop_sending(gatherer)
    return found


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
    context = certificate._create_ssl_context(SRTP_PROFILES)
    assert certificate._create_ssl_context(SRTP_PROFILES) is context
    assert certificate._create_ssl_context(SRTP_PROFILES[:1]) is not context
    assert context.get_session_cache_mode() == SSL.SESS_CACHE_OFF
    assert new_certificate()._create_ssl_context(SRTP_PROFILES) is not context


async def test_a_handshake_takes_its_context_from_the_certificate() -> None:
    async with connected_pair() as (caller, callee, _channel):
        ours, theirs = (end.transport._dtls._ssl for end in (caller, callee))
        assert ours is not None
        assert theirs is not None
        assert ours.get_context() is theirs.get_context()  # the process has one certificate
