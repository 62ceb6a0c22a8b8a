import os
import signal
import socket
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.coturn import Coturn
from tests.support.forked import forking

# The same examples every time: a failure is seen by everyone or by nobody. No deadline for one example:
# it would measure how busy the machine is.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

# What somebody has built on this machine is not what is tested, but by tests that build it themselves.
os.environ.setdefault("HARNESS_NATIVE", "false")

# A shell's background job ignores SIGINT, and so would every command that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _children_are_forked() -> Iterator[None]:
    with forking():
        yield


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A TCP port of this machine that refuses connections, and that nobody else is given meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield int(holder.getsockname()[1])


@pytest.fixture(scope="session")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """A running STUN and TURN server with long-term credentials, for tests that only use it."""
    with Coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running
