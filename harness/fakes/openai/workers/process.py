"""A worker's own side: it serves the connections that it is handed, until the front is gone.

Standard input is the channel to the front, the first argument the descriptor by which connections come.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from typing import Any

from harness.core.collector import freeze_loaded
from harness.core.errors import HarnessError
from harness.core.printable import make_logs_printable
from harness.fakes.faults.plan import CallFaults
from harness.fakes.openai.faults import OPENAI_FAULTS
from harness.fakes.openai.http.app import Endpoints, api_app
from harness.fakes.openai.http.inspection import InspectedProcess
from harness.fakes.openai.keys import EphemeralKey
from harness.fakes.openai.record import UpstreamRecord
from harness.fakes.openai.workers.channel import WorkerChannel, WorkerChannelClosedError
from harness.fakes.openai.workers.messages import (
    Begun,
    Done,
    EndCalls,
    Ended,
    EndedCalls,
    Issued,
    Message,
    Met,
    Reset,
    ShowArrived,
    ShowCalls,
    Shown,
    Start,
    Started,
    StartRefused,
)
from harness.fakes.openai.workers.routing import WorkerIds
from harness.fakes.serving import Adopt, adopting
from harness.platform.handing import Taker
from harness.platform.loop import run_loop

STANDARD_INPUT = 0


class SharingWithFront:
    """What all workers share is with the front."""

    def __init__(self, channel: WorkerChannel) -> None:
        self._channel = channel

    async def faults_of(self, record: UpstreamRecord) -> CallFaults:
        """See Sharing."""
        met = await self._channel.ask(Begun(call=record.as_json(events=True)), Met)
        faults = {name: (OPENAI_FAULTS.named(name), value) for name, value in met.faults.items()}
        return CallFaults(faults, seed=met.seed)

    async def issued(self, key: EphemeralKey) -> None:
        """See Sharing."""
        await self._channel.ask(Issued(value=key.value, expires=key.expires, session=key.session), Done)

    def ended(self, record: UpstreamRecord) -> None:
        """The front remembers it, should we die."""
        with contextlib.suppress(WorkerChannelClosedError):  # the front has ended, and so do we
            self._channel.tell(Ended(call=record.as_json(events=False)))


class Worker:
    """Answers the front, and serves."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._start: asyncio.Future[Start] = loop.create_future()
        self._ready: asyncio.Future[Message] = loop.create_future()
        self._endpoints: Endpoints | None = None
        self._adopting: set[asyncio.Task[None]] = set()

    async def serve(self, channel: WorkerChannel, hands: socket.socket) -> None:
        """Return when the front is gone and all calls are released."""
        listening = asyncio.create_task(channel.run())
        either: list[asyncio.Future[Any]] = [self._start, listening]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._start.done():
            try:
                endpoints = self._new_endpoints(self._start.result(), channel)
            except HarnessError as error:
                self._ready.set_result(StartRefused(message=error.message, remedy=error.remedy))
            else:
                await self._serve(endpoints, hands, listening)
        await listening

    def _new_endpoints(self, start: Start, channel: WorkerChannel) -> Endpoints:
        ids = WorkerIds(start.settings.seed, start.index, start.workers)
        sharing = SharingWithFront(channel)
        self._endpoints = Endpoints(start.settings, ids, sharing)
        self._endpoints.calls.records.on_ended = sharing.ended
        return self._endpoints

    async def _serve(self, endpoints: Endpoints, hands: socket.socket, listening: asyncio.Task[None]) -> None:
        settings = self._start.result().settings
        app = api_app(endpoints.routes, settings, endpoints.lifespan, endpoints.arrivals)
        async with adopting(app) as adopt:
            taker = Taker(hands, lambda connection, head: self._take(adopt, connection, head))
            freeze_loaded()
            self._ready.set_result(Started())
            await asyncio.wait({listening})
            taker.close()

    def _take(self, adopt: Adopt, connection: socket.socket, head: bytes) -> None:
        task = asyncio.create_task(adopt(connection, head))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    async def answer(self, message: Message) -> Message | None:
        """Answer the front."""
        if isinstance(message, Start):
            self._start.set_result(message)
            return await self._ready
        assert self._endpoints is not None  # noqa: S101  (the front asks nothing before we are ready)
        calls, keys = self._endpoints.calls, self._endpoints.keys
        inspected = InspectedProcess(calls, keys, self._endpoints.arrivals)
        match message:
            case ShowCalls(chosen=chosen, events=events):
                return Shown(found=await inspected.show(chosen, events=events))
            case ShowArrived(since=since, answer=answer):
                return Shown(found=await inspected.arrived(since, answer))
            case EndCalls(ufrags=ufrags):
                return EndedCalls(count=await inspected.end(ufrags))
            case Reset():
                await inspected.reset()
                return Done()
            case Issued(value=value, expires=expires, session=session):
                keys.learn(EphemeralKey(value, expires, session))
                return Done()
        raise HarnessError(f"the front cannot ask {type(message).__name__}")


async def _main() -> None:
    worker = Worker()
    end = socket.socket(fileno=os.dup(STANDARD_INPUT))
    await worker.serve(await WorkerChannel.on(end, worker.answer), socket.socket(fileno=int(sys.argv[1])))


def main() -> None:
    """Serve the front that started us."""
    # Ctrl-C and a supervisor's signal reach the whole group; the front decides when calls are over.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    make_logs_printable()
    run_loop(_main())


if __name__ == "__main__":
    main()
