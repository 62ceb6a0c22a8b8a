"""Two machines with a network between them, and this process in the middle: nothing of it outlives us.

A machine is a network namespace that has no name: the kernel removes it with its last process, and each of
its processes is killed when we end, however we end (prctl(2), PR_SET_PDEATHSIG). An interface is a TUN device
of ours, moved there; it goes when we close it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.core.clock import MonotonicClock
from tests.support.programs import ending_with_us, found_program

PROGRAMS = ("unshare", "nsenter", "setpriv", "ip", "sysctl")
CLONE_DEVICE = Path("/dev/net/tun")
TUNSETIFF = 0x400454CA  # linux/if_tun.h
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000  # IP packets, with nothing before them
IFREQ = "16sH22x"
COMMAND_SECONDS = 20.0
ENTER_SECONDS = 10.0
CLOCK = MonotonicClock()

SYSCTLS = (
    "net.ipv6.conf.all.disable_ipv6=1",
    "net.ipv4.tcp_no_metrics_save=1",  # what TCP learnt in one call is not known in the next
)
CONGESTION = "cubic"  # the default of Linux, macOS and Windows, whatever this machine's own is


def missing() -> str:
    """Why no networks can be made here; empty where they can."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if absent := [name for name in PROGRAMS if found_program(name) is None]:
        return f"not installed: {', '.join(absent)} (Debian: util-linux, iproute2, procps)"
    if not CLONE_DEVICE.exists():
        return f"there is no {CLONE_DEVICE}: load the kernel's module tun"
    return ""


@dataclass(frozen=True)
class Machine:
    """`address` is its only one beside loopback; `tun` is our descriptor of its network interface."""

    namespace: str
    address: str
    tun: int

    def command(self, *program: str) -> list[str]:
        """What runs a program here, as one process, that ends when we do."""
        return ["nsenter", f"--net={self.namespace}", "--", *ending_with_us(program)]


@asynccontextmanager
async def two_machines(addresses: tuple[str, str]) -> AsyncIterator[tuple[Machine, Machine]]:
    """With one address each, in one network of four; gone when left. Raises RuntimeError with what failed."""
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(_machine(address, peer))
            for address, peer in (addresses, addresses[::-1])
        ]
        yield first, second


@asynccontextmanager
async def _machine(address: str, peer: str) -> AsyncIterator[Machine]:
    keeper = await asyncio.create_subprocess_exec(
        *ending_with_us(["unshare", "--net", "sleep", "infinity"]), start_new_session=True
    )
    try:
        namespace = f"/proc/{keeper.pid}/ns/net"
        await _entered(keeper, namespace)
        tun, name = _open_tun()
        try:
            await _run("ip", "link", "set", name, "netns", str(keeper.pid))
            machine = Machine(namespace, address, tun)
            for command in (
                ("sysctl", "-qw", *SYSCTLS),
                ("ip", "link", "set", "lo", "up"),
                ("ip", "address", "add", address, "peer", peer, "dev", name),
                ("ip", "link", "set", name, "up"),
                ("ip", "route", "replace", peer, "dev", name, "src", address, "congctl", CONGESTION),
            ):
                await _run(*machine.command(*command))
            yield machine
        finally:
            await asyncio.to_thread(os.close, tun)  # the kernel takes a tenth of a second
    finally:
        with contextlib.suppress(ProcessLookupError):
            keeper.kill()
        await keeper.wait()


async def _entered(keeper: asyncio.subprocess.Process, namespace: str) -> None:
    """Until it is in a network namespace of its own."""
    ours, deadline = os.readlink("/proc/self/ns/net"), CLOCK.now() + ENTER_SECONDS
    while CLOCK.now() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(namespace) != ours:
                return
        if keeper.returncode is not None:
            break
        await asyncio.sleep(0.01)
    raise RuntimeError("unshare made no network namespace")


def _open_tun() -> tuple[int, str]:
    """A descriptor that gives and takes an IP packet at a time, and its interface's name."""
    tun = os.open(CLONE_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    asked = struct.pack(IFREQ, b"relaynet%d", IFF_TUN | IFF_NO_PI)
    try:
        name = fcntl.ioctl(tun, TUNSETIFF, asked)[:16].rstrip(b"\0").decode()
    except OSError:
        os.close(tun)
        raise
    return tun, name


async def _run(*command: str) -> None:
    done = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    async with asyncio.timeout(COMMAND_SECONDS):
        _, complaint = await done.communicate()
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {complaint.decode(errors='replace').strip()}")
