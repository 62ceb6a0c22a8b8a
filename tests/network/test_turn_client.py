"""What `turn_client` and `gathering` use of aioice and is not in its documentation."""

from __future__ import annotations

import inspect

import pytest
from aioice import ice, stun, turn


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
