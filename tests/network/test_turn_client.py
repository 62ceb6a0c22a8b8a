"""What `turn_client` and `gathering` use of aioice and is not in its documentation."""

from __future__ import annotations

import inspect
import socket
import ssl
import threading
from pathlib import Path

import pytest
from aioice import ice, stun, turn

from harness.config.ice import parse_ice_url
from harness.network.turn_client import connected
from tests.support.certificates import make_certificate


@pytest.mark.parametrize("kind", [turn.TurnClientUdpProtocol, turn.TurnClientTcpProtocol])
def test_aioice_s_client_for_turn_is_as_we_use_it(kind: type) -> None:
    client = kind(("127.0.0.1", 3478), "user", "password", 60, turn.DEFAULT_CHANNEL_REFRESH_TIME)
    used = {
        "channel_bind",
        "channel_number",
        "channel_refresh_at",
        "channel_to_peer",
        "connect",
        "delete",
        "mapped_address",
        "peer_to_channel",
        "realm",
        "receiver",
        "relayed_address",
        "request",
        "send_data",
    }
    assert {name for name in used if not hasattr(client, name)} == set()


def test_aioice_s_makers_of_candidates_are_as_we_use_them() -> None:
    assert {
        "component",
        "hide_related_address",
        "protocol_factory",
        "turn_server",
        "turn_username",
        "turn_password",
        "turn_ssl",
        "turn_transport",
    } == set(inspect.signature(ice.relayed_candidate).parameters)
    assert list(inspect.signature(ice.server_reflexive_candidate).parameters) == ["protocol", "stun_server"]


def test_aioice_s_errors_are_as_we_read_them() -> None:
    assert issubclass(stun.TransactionFailed, stun.TransactionError)
    assert issubclass(stun.TransactionTimeout, stun.TransactionError)
    answer = stun.Message(message_method=stun.Method.ALLOCATE, message_class=stun.Class.ERROR)
    answer.attributes["ERROR-CODE"] = (486, "Allocation Quota Reached")
    assert stun.TransactionFailed(answer).response.error_code == 486


async def test_nothing_is_left_open_by_a_server_that_does_not_say_goodbye(tmp_path: Path) -> None:
    """TLS's own goodbye is an exchange, and this server has stopped to read."""
    made = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        accepted, _ = listening.accept()
        with context.wrap_socket(accepted, server_side=True):
            over.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        server = threading.Thread(target=serve, args=(listening,))
        server.start()
        try:
            url = parse_ice_url(f"turns:127.0.0.1:{address[1]}")
            async with connected(url, address, "u", "c", made.ca) as client:
                ours = client._inner.transport.get_extra_info("socket")
                assert ours.fileno() != -1
            assert ours.fileno() == -1
        finally:
            over.set()
            server.join()
