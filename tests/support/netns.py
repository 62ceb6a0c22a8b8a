"""Networks of a test's own: namespaces, links between them, their firewalls, and the programs that run there.

Names carry the maker's process id, so that what a killed run left behind is found, and swept by the next one.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.programs import needs_program, needs_root

PREFIX = "voice-relay-test"
COMMAND_SECONDS = 20.0
STOP_SECONDS = 5.0

_runs = itertools.count(1)


@dataclass(frozen=True)
class Namespace:
    """One machine of the test's network."""

    name: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command is run with to run in here."""
        return ("ip", "netns", "exec", self.name)

    def address(self, interface: str, *addresses: str) -> None:
        """Give an interface addresses such as `192.168.1.2/24`."""
        for address in addresses:
            _ip("-n", self.name, "address", "add", address, "dev", interface)

    def route(self, destination: str, via: str) -> None:
        """Reach `destination` (`default`, or a network) through a router."""
        _ip("-n", self.name, "route", "add", destination, "via", via)

    def bridge(self, name: str) -> None:
        """Put a switch here."""
        _ip("-n", self.name, "link", "add", name, "up", "type", "bridge")

    def join(self, bridge: str, interface: str) -> None:
        """Plug an interface into a switch that is here."""
        _ip("-n", self.name, "link", "set", interface, "master", bridge)

    def forward(self) -> None:
        """Make it a router."""
        run([*self.prefix, "sysctl", "-qw", "net.ipv4.ip_forward=1"])

    def firewall(self, ruleset: str) -> None:
        """Load an nftables ruleset. Raises RuntimeError with what nft says of it."""
        run([*self.prefix, "nft", "-f", "-"], text=ruleset)

    def processes(self) -> list[int]:
        """Ids of the processes that run here."""
        return [int(pid) for pid in run(["ip", "netns", "pids", self.name]).split()]


class Namespaces:
    """`with Namespaces() as made:` — everything that is made is gone when left, processes included.

    `prefix`: names begin so, and what dead runs left under such names is swept first.
    """

    def __init__(self, prefix: str = PREFIX) -> None:
        self._prefix = prefix
        self._made: list[Namespace] = []
        self._run = next(_runs)

    def add(self, role: str) -> Namespace:
        """A machine without any link: loopback alone, and IPv4 alone."""
        namespace = Namespace(f"{self._prefix}-{os.getpid()}-{self._run}-{role}")
        _ip("netns", "add", namespace.name)
        self._made.append(namespace)
        _ip("-n", namespace.name, "link", "set", "lo", "up")
        # Else each link would be tentative for a second (RFC 4862, section 5.4), and a candidate besides.
        run([*namespace.prefix, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"])
        return namespace

    def link(self, first: Namespace, first_end: str, second: Namespace, second_end: str) -> None:
        """A cable between two machines, both ends up."""
        ends = ("name", second_end, "netns", second.name)
        _ip("-n", first.name, "link", "add", first_end, "type", "veth", "peer", *ends)
        for namespace, end in ((first, first_end), (second, second_end)):
            _ip("-n", namespace.name, "link", "set", end, "up")

    def close(self) -> None:
        """Remove everything; idempotent."""
        while self._made:
            remove(self._made.pop())

    def __enter__(self) -> Self:
        needs_root()
        for program in ("ip", "nft", "sysctl"):
            needs_program(program)
        sweep(self._prefix)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def present() -> set[str]:
    """The names of all namespaces of this machine."""
    return {line.split()[0] for line in run(["ip", "netns", "list"]).splitlines() if line}


def sweep(prefix: str = PREFIX) -> list[str]:
    """Remove what runs that were killed left behind; returns the names."""
    pattern = re.compile(rf"{prefix}-(?P<pid>\d+)-\d+-[a-z0-9-]+")
    found = [pattern.fullmatch(name) for name in sorted(present())]
    dead = [Namespace(name.group()) for name in found if name and not _alive(int(name["pid"]))]
    for namespace in dead:
        try:
            remove(namespace)
        except RuntimeError:
            if namespace.name in present():
                raise  # else another run swept at the same time
    return [namespace.name for namespace in dead]


def remove(namespace: Namespace) -> None:
    """End what runs in a namespace, then remove it; its links go with it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in namespace.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        deadline = time.monotonic() + STOP_SECONDS
        while namespace.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        if not namespace.processes():
            break
    _ip("netns", "delete", namespace.name)


def run(command: Sequence[str], text: str = "") -> str:
    """Standard output of a command that must succeed. Raises RuntimeError with what it complained of."""
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _ip(*arguments: str) -> None:
    run(["ip", *arguments])


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
