from __future__ import annotations

import subprocess
import sys

import pytest

from harness.load.processes import listening_at, memory_of

SERVER = """
import socket, subprocess, sys
server = socket.create_server(("127.0.0.1", 0))
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(server.getsockname()[1], child.pid, flush=True)
input()
"""


def test_a_target_on_this_machine_is_seen_with_what_it_started() -> None:
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        port, child = map(int, server.stdout.readline().split())
        found = listening_at(f"http://localhost:{port}/offer")
        assert sorted(process.pid for process in found) == sorted((server.pid, child))
        held = memory_of(found)
        assert held is not None
        assert held > 5_000_000
        server.stdin.close()
    assert memory_of(found) is None, "what is gone has no memory, and not less than before"


@pytest.mark.parametrize("url", ["http://192.0.2.1:80/", "https://relay.test/offer"])
def test_of_another_machine_nothing_is_seen(url: str) -> None:
    assert listening_at(url) == []
    assert memory_of([]) is None


def test_nobody_listens_at_a_port_of_nobody() -> None:
    assert listening_at("http://127.0.0.1:9/offer") == []
