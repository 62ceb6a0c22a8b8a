"""Each private name of aiortc and aioice that harness/peer/aiortc_internals.py uses, one test a name."""

from __future__ import annotations

import importlib.metadata

import pytest
from aioice.ice import Connection, StunProtocol
from aiortc import RTCDtlsTransport, RTCIceGatherer, RTCIceTransport, RTCSctpTransport

from harness.peer.aiortc_internals import CheckCounter, new_certificate

PINNED = {"aiortc": "1.16.0", "aioice": "0.13.0"}


@pytest.mark.parametrize(("package", "version"), PINNED.items())
def test_the_installed_release_is_the_one_these_names_were_read_in(package: str, version: str) -> None:
    assert importlib.metadata.version(package) == version


@pytest.fixture
async def gatherer() -> RTCIceGatherer:
    return RTCIceGatherer(iceServers=[])


@pytest.mark.parametrize(
    "name",
    ["_protocols", "_nominated", "ice_controlling", "get_component_candidates", "_remote_candidates_end"],
)
async def test_an_ice_connection_has(gatherer: RTCIceGatherer, name: str) -> None:
    assert hasattr(gatherer._connection, name)


@pytest.mark.parametrize(
    "name", ["connection_lost", "connection_made", "datagram_received", "error_received", "send_stun"]
)
async def test_a_stun_protocol_has(name: str) -> None:
    assert hasattr(StunProtocol(Connection(ice_controlling=True)), name)


@pytest.mark.parametrize(
    "name", ["_rx_srtp", "_tx_srtp", "_ssl", "_task", "_set_role", "_role", "_rtp_router", "_state"]
)
async def test_a_dtls_transport_has(gatherer: RTCIceGatherer, name: str) -> None:
    assert hasattr(RTCDtlsTransport(RTCIceTransport(gatherer), [new_certificate()]), name)


@pytest.mark.parametrize("name", ["_set_state", "_association_state", "state"])
async def test_an_sctp_transport_has(gatherer: RTCIceGatherer, name: str) -> None:
    dtls = RTCDtlsTransport(RTCIceTransport(gatherer), [new_certificate()])
    assert hasattr(RTCSctpTransport(dtls), name)


def test_checks_are_counted_by_stun_message_type_and_direction() -> None:
    checks = CheckCounter()
    checks.count(0x00, 0x01, outgoing=True)
    checks.count(0x00, 0x01, outgoing=False)
    checks.count(0x01, 0x01, outgoing=False)
    checks.count(0x01, 0x11, outgoing=False)
    checks.count(0x01, 0x01, outgoing=True)  # our own answer to the other end's check
    renewed: list[int] = []
    checks.on_answered = lambda: renewed.append(checks.answered)
    checks.count(0x01, 0x01, outgoing=False)
    assert renewed == [2]
    del checks.on_answered
    assert vars(checks) == {"sent": 1, "answered": 2, "refused": 1, "received": 1, "replied": 1}
