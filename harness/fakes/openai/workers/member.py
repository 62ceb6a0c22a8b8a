"""One worker process as the front sees it: started, asked, given connections, stopped, or found dead."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError, UsageError
from harness.fakes import children
from harness.fakes.openai.workers.channel import WorkerChannel, WorkerChannelClosedError
from harness.fakes.openai.workers.ledger import CallJson, Ledger
from harness.fakes.openai.workers.messages import (
    EndCalls,
    EndedCalls,
    Message,
    ShowArrived,
    ShowCalls,
    Shown,
    Start,
    Started,
    StartRefused,
)
from harness.platform.children import Program, start_program
from harness.platform.handing import Giver, hand_over_pair

START_SECONDS, START_SECONDS_EACH = 30.0, 5.0  # all start at once, on perhaps two cores
STOP_SECONDS = 6.0  # longer than a worker gives its requests and calls

PROCESS = "harness.fakes.openai.workers.process"
STANDARD_ERROR = 2

M = TypeVar("M")


class Member:
    """A worker of the crew. `answer` takes what it asks and tells; `died` is called when it ends unasked."""

    def __init__(
        self,
        start: Start,
        answer: Callable[[Member, Message], Awaitable[Message | None]],
        died: Callable[[Member], None],
    ) -> None:
        self.index = start.index
        self.ledger = Ledger(start.settings.ended_calls_kept)
        self.given = 0
        self.alive = False
        self._start = start
        self._answer = answer
        self._died = died
        self._stopping = False
        self._process: Program | None = None
        self._channel: WorkerChannel | None = None
        self._giver: Giver | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def process(self) -> int:
        """Its id."""
        return self._process.pid if self._process else 0

    @property
    def status(self) -> int | None:
        """As `subprocess.Popen.returncode`."""
        return self._process.returncode if self._process else None

    async def start(self) -> None:
        """Return when it can be given connections. Raises UsageError for its settings, and HarnessError."""
        ours, theirs = socket.socketpair()
        giving, taking = hand_over_pair()
        self._giver = Giver(giving)
        with theirs, taking:
            self._channel = await WorkerChannel.on(ours, self._reply)
            self._tasks.append(asyncio.create_task(self._channel.run()))
            self._process = await start_program(
                (sys.executable, "-m", PROCESS, str(taking.fileno())),
                stdin=theirs.fileno(),
                stdout=STANDARD_ERROR,  # ours holds the base URL alone
                pass_descriptors=(taking.fileno(),),
                environment=children.environment(),
            )
        within = START_SECONDS + START_SECONDS_EACH * self._start.workers
        try:
            reply = await self._channel.ask(self._start, Started | StartRefused, within)  # type: ignore[arg-type]  # a union of types
        except HarnessError as error:
            raise HarnessError(f"worker {self.index} did not start: {error.message}", error.remedy) from error
        if isinstance(reply, StartRefused):
            raise UsageError(reply.message, reply.remedy)
        self.alive = True
        self._tasks.append(asyncio.create_task(self._watch(self._process)))

    async def stop(self) -> None:
        """Return when the process is gone and nothing of it is left here."""
        self._stopping = True
        if self._channel is not None:
            self._channel.close()
        if self._giver is not None:
            self._giver.close()
        if self._process is not None:
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        await asyncio.gather(*self._tasks)

    async def give(self, connection: socket.socket, head: bytes) -> None:
        """Hand over a connection. Raises OSError where the worker is gone."""
        assert self._giver is not None  # noqa: S101  (started)
        self.given += 1
        await self._giver.give(connection, head)

    async def ask(self, message: Message, reply: type[M]) -> M:
        """Its reply. Raises WorkerChannelClosedError where it is gone, and HarnessError where it hangs."""
        assert self._channel is not None  # noqa: S101  (started)
        try:
            return await self._channel.ask(message, reply)
        except WorkerChannelClosedError:
            self._is_dead()
            raise
        except HarnessError as error:
            who = f"worker {self.index} (process {self.process})"
            raise HarnessError(f"{who}: {error.message}", error.remedy) from error

    async def show(self, chosen: Mapping[str, str], *, events: bool) -> list[CallJson]:
        """Its calls; of a dead worker, what is known here. Raises HarnessError where it hangs."""
        if self.alive:
            with contextlib.suppress(WorkerChannelClosedError):
                return list((await self.ask(ShowCalls(chosen=chosen, events=events), Shown)).found)
        known = self.ledger.show(events=events)
        return [call for call in known if all(call[name] == chosen[name] for name in chosen)]

    async def arrived(self, since: float, answer: str) -> list[dict[str, Any]]:
        """The requests that reached it; none where it is dead. Raises HarnessError where it hangs."""
        if self.alive:
            with contextlib.suppress(WorkerChannelClosedError):
                return list((await self.ask(ShowArrived(since=since, answer=answer), Shown)).found)
        return []

    async def end(self, ufrags: Sequence[str]) -> int:
        """How many of its calls had these names, and were ended. Raises HarnessError where it hangs."""
        if self.alive:
            with contextlib.suppress(WorkerChannelClosedError):
                return (await self.ask(EndCalls(ufrags=ufrags), EndedCalls)).count
        return 0

    def health(self) -> dict[str, Any]:
        """For `/_fake/health`."""
        return {"process": self.process, "alive": self.alive, "live": self.ledger.live}

    async def _reply(self, message: Message) -> Message | None:
        return await self._answer(self, message)

    async def _watch(self, process: Program) -> None:
        await process.wait()
        if not self._stopping:
            self._is_dead()
            self._died(self)

    def _is_dead(self) -> None:
        self.alive = False
        self.ledger.all_lost(MonotonicClock().now())
