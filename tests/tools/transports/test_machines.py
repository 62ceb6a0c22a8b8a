"""What the measurement builds, and that nothing of it is left, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.netns import present
from tests.support.programs import is_gone, needs_program, needs_root
from tools.transports.machines import CLOCK, PROGRAMS
from tools.transports.measuring import TO_ITS_END
from tools.transports.networks import NETWORKS
from tools.transports.place import open_place

ROOT = Path(__file__).parents[3]
FORSAKEN = """
import asyncio
from tools.transports.machines import two_machines

async def wait():
    async with two_machines(("192.0.2.1", "192.0.2.2")) as (near, far):
        print(near.namespace, far.namespace, flush=True)
        await asyncio.sleep(60)

asyncio.run(wait())
"""


pytestmark = pytest.mark.timeout(240)  # programs are started and calls made, on a machine that may be busy


@pytest.fixture(autouse=True)
def _able() -> None:
    needs_root()
    for program in PROGRAMS:
        needs_program(program)


def interfaces() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


async def test_one_call_each_way_crosses_the_network_that_it_is_given_and_leaves_nothing() -> None:
    before, namespaces = interfaces(), present()
    async with open_place() as place:
        programs = [place.caller.pid, place.relay.pid, place.fake.pid]
        found = {
            way: await place.call(way, NETWORKS["4g"], seed=3, short=True) for way in ("websocket", "webrtc")
        }
    for way, figures in found.items():
        assert figures["ended"] == TO_ITS_END, way
        # Both directions' delays, once and more: below TCP as below UDP.
        assert figures["setup_ms"] >= 2 * 50, way
        assert figures["first_audio_ms"] >= 500 + 300, way
        assert figures["packets_up"] > 50, way
        assert figures["cpu_ms"]["caller"] > 0, way
        assert not figures["errors"], way
    # PCM in base64 against Opus.
    assert found["websocket"]["bytes_up"] > 2 * found["webrtc"]["bytes_up"]
    assert all(is_gone(pid) for pid in programs)
    assert interfaces() <= before
    # Tests beside this one have namespaces of their own, which come and go.
    assert not any(f"-{os.getpid()}-" in name for name in present() - namespaces)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_however_a_run_is_ended_its_machines_and_interfaces_are_gone(how: signal.Signals) -> None:
    before = interfaces()
    with subprocess.Popen(
        [sys.executable, "-c", FORSAKEN],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as forsaken:
        assert forsaken.stdout is not None
        keepers = [int(namespace.split("/")[2]) for namespace in forsaken.stdout.readline().split()]
        assert len(keepers) == 2
        assert not any(is_gone(keeper) for keeper in keepers)
        forsaken.send_signal(how)
    deadline = CLOCK.now() + 10
    while not all(is_gone(keeper) for keeper in keepers) and CLOCK.now() < deadline:
        time.sleep(0.02)
    assert all(is_gone(keeper) for keeper in keepers)
    assert interfaces() <= before
