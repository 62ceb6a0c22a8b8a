from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.coturn import Coturn, rest_credentials


def test_it_listens_while_entered_and_not_after(tmp_path: Path) -> None:
    with Coturn(tmp_path) as coturn:
        for port in (coturn.port, coturn.tls_port):
            socket.create_connection((coturn.host, port), 5).close()
    for port in (coturn.port, coturn.tls_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((coturn.host, port), 5)


def test_a_port_that_is_taken_is_told_from_coturns_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        coturn = Coturn(tmp_path, port=taken.getsockname()[1], tls_port=taken.getsockname()[1])
        with pytest.raises(RuntimeError, match="Cannot bind"):
            coturn.start()


def test_time_limited_credentials_carry_their_end() -> None:
    username, credential = rest_credentials("secret", "caller", seconds=-60)
    assert username.endswith(":caller")
    assert credential != rest_credentials("secret", "caller", seconds=60)[1]
