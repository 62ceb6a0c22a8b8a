"""A place for one call at a time: a caller on one machine, relay and fake on another, a network between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from harness.network.presets import PRESETS
from harness.peer.stalls import StallWatch
from tools.transports.forwarding import Forwarder
from tools.transports.machines import Machine, two_machines
from tools.transports.networks import BLACKOUT_SECONDS, Network

ROOT = Path(__file__).parents[2]
CALLER, SERVERS = "192.0.2.1", "192.0.2.2"  # RFC 5737: of documentation, and nobody's
RELAY_PORT, FAKE_PORT = 8080, 8089
SESSION = "/api/voice/webrtc/session"
SCHEMES = {"webrtc": "http", "websocket": "ws"}
START_SECONDS = 90.0
CALL_SECONDS = 150.0
STOP_SECONDS = 10.0
LONGEST_LINE = 1 << 20
Process = asyncio.subprocess.Process


@dataclass
class Place:
    """Serves any network and way; what it measures of a call is that call's alone."""

    forwarder: Forwarder
    caller: Process
    key: str
    relay: psutil.Process
    fake: psutil.Process

    def prefer(self) -> None:
        """Let its programs, and us, run before others, who would else be measured with it: turns are short.

        What we start later does not inherit it: starting is no short turn.
        """
        for process in (os.getpid(), *(p.pid for p in (self.caller, self.relay, self.fake))):
            how = os.SCHED_RR | (os.SCHED_RESET_ON_FORK if process == os.getpid() else 0)
            with contextlib.suppress(OSError):  # then what others make late is told, and made again
                for task in Path(f"/proc/{process}/task").iterdir():
                    os.sched_setscheduler(int(task.name), how, os.sched_param(1))

    async def call(
        self, way: str, network: Network, *, seed: int, short: bool = False, keep: str = ""
    ) -> dict[str, Any]:
        """The figures of one call. Raises RuntimeError where a program of ours failed, or hung.

        `short`: ends with the first answer. `keep`: where its timeline goes.
        """
        order = {
            "url": f"{SCHEMES[way]}://{SERVERS}:{RELAY_PORT}{SESSION}",
            "fake": f"{SERVERS}:{FAKE_PORT}",
            "key": self.key,
            "seed": seed,
            "call": f"{way}-{network.name}-{seed}",
            "dark": network.dark,
            "short": short,
            "keep": keep,
        }
        stalls: list[float] = []
        unlisten = StallWatch.shared().listen(stalls.append)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._tell(order)
                await self._told("ready")
                # The same network for both ways: the seed is that of their common turn.
                self.forwarder.begin(network.conditions, f"{network.name}/{seed}")
                cpu = self._cpu()
                await self._tell({})
                while (told := await self._told("dark", "over"))["is"] == "dark":
                    self.forwarder.link.blackout(BLACKOUT_SECONDS)
                spent = {each: seconds - cpu[each] for each, seconds in self._cpu().items()}
                crossed = self._crossed()
                # Looking at the fake's record is no part of the call.
                self.forwarder.begin(PRESETS["clear"], "idle")
                figures = (await self._told("done"))["figures"]
        except TimeoutError as error:
            raise RuntimeError(f"the call {order['call']} did not end within {CALL_SECONDS:g} s") from error
        finally:
            unlisten()
        if stalls and not figures["spoilt"]:
            figures["spoilt"] = f"the forwarder stood still for {max(stalls):.2f} s"
        cpu_ms = {end: round(1000 * seconds) for end, seconds in {"caller": told["cpu"], **spent}.items()}
        return {**figures, **crossed, "cpu_ms": cpu_ms, "seconds": round(told["at"], 3)}

    def _crossed(self) -> dict[str, Any]:
        lost = {d: self.forwarder.link.counted(d).lost for d in ("up", "down")}
        return {
            f"{what}_{direction}": value
            for direction, crossing in self.forwarder.crossed.items()
            for what, value in (
                ("bytes", crossing.bytes),
                ("packets", crossing.packets),
                ("lost", lost[direction]),
            )
        }

    def _cpu(self) -> dict[str, float]:
        return {name: _seconds(process) for name, process in (("relay", self.relay), ("fake", self.fake))}

    async def _tell(self, order: Mapping[str, Any]) -> None:
        assert self.caller.stdin is not None
        self.caller.stdin.write(json.dumps(order).encode() + b"\n")
        await self.caller.stdin.drain()

    async def _told(self, *kinds: str) -> dict[str, Any]:
        assert self.caller.stdout is not None
        line = await self.caller.stdout.readline()
        if not line:
            raise RuntimeError("the caller's program ended")
        told: dict[str, Any] = json.loads(line)
        if told["is"] not in kinds:
            raise RuntimeError(f"the caller's program said {told['is']}, not {' or '.join(kinds)}")
        return told


@asynccontextmanager
async def open_place() -> AsyncIterator[Place]:
    """Ready for calls; all that it started is gone when it is left. Raises RuntimeError where it fails."""
    token, key = secrets.token_hex(16), f"sk-{secrets.token_hex(16)}"
    async with AsyncExitStack() as stack:
        near, far = await stack.enter_async_context(two_machines((CALLER, SERVERS)))
        forwarder = Forwarder(near.tun, far.tun)
        stack.callback(forwarder.close)
        fake_at, relay_at = f"{SERVERS}:{FAKE_PORT}", f"{SERVERS}:{RELAY_PORT}"
        fake_command = ("harness", "fake-openai", "--bind", fake_at, "--seed", "1")
        relay_command = ("tools.transports.relaying", relay_at, f"http://{fake_at}/v1")
        started = [
            (whose, await stack.enter_async_context(_program(machine, *command, **environment)))
            for whose, machine, command, environment in (
                ("the fake", far, fake_command, {"HARNESS_FAKE_TOKEN": token}),
                ("the relay", far, relay_command, {"OPENAI_API_KEY": key}),
                ("the caller", near, ("tools.transports.calling",), {"HARNESS_FAKE_TOKEN": token}),
            )
        ]
        try:
            async with asyncio.timeout(START_SECONDS):
                fake, relay, caller = [await program.ready(whose) for whose, program in started]
        except TimeoutError as error:
            raise RuntimeError(f"relay, fake and caller did not start within {START_SECONDS:g} s") from error
        yield Place(forwarder, caller, key, psutil.Process(relay.pid), psutil.Process(fake.pid))


@dataclass
class _Program:
    process: Process
    complaints: IO[bytes]

    async def ready(self, whose: str) -> Process:
        """Once it says so. Raises RuntimeError with its last words where it does not."""
        assert self.process.stdout is not None
        if await self.process.stdout.readline():
            return self.process
        self.complaints.seek(0)
        raise RuntimeError(
            f"{whose} did not start: {self.complaints.read().decode(errors='replace')[-2000:]}"
        )


@asynccontextmanager
async def _program(
    machine: Machine, module: str, *arguments: str, **environment: str
) -> AsyncIterator[_Program]:
    """A module of this checkout, run there; ended when left."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HARNESS_")}
    with tempfile.TemporaryFile() as complaints:
        process = await asyncio.create_subprocess_exec(
            *machine.command(sys.executable, "-m", module, *arguments),
            cwd=ROOT,
            env={**plain, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            limit=LONGEST_LINE,
            start_new_session=True,  # Ctrl-C is for us, and we end them
        )
        try:
            yield _Program(process, complaints)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.wait()


def _seconds(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)
