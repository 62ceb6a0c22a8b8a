"""One end of the channel between the front and a worker: both ask, both answer, in frames of JSON."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable
from typing import Self, TypeVar

import msgspec

from harness.core.errors import HarnessError
from harness.fakes.openai.workers.messages import Envelope, Message

ANSWER_SECONDS = 15.0
LENGTH_BYTES = 4

Answer = Callable[[Message], Awaitable[Message | None]]
M = TypeVar("M")


class WorkerChannelClosedError(HarnessError):
    """The other end is gone."""


class WorkerChannel:
    """Carries messages until the other end is gone: `run` returns then.

    `answer` is given the other end's questions and news, in their order; what it returns for a question is
    the reply. It may take its time: later messages do not wait for it.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Message]] = {}
        self._answering: set[asyncio.Task[None]] = set()

    @classmethod
    async def on(cls, end: socket.socket, answer: Answer) -> Self:
        """A channel on one end of a pair of stream sockets, which it closes when it is over."""
        return cls(*await asyncio.open_connection(sock=end), answer)

    async def run(self) -> None:
        """Read until the other end is gone, or we close; whoever still waits for a reply is told so."""
        try:
            while True:
                length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES), "big")
                self._take(msgspec.json.decode(await self._reader.readexactly(length), type=Envelope))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            await self._end()

    def close(self) -> None:
        """Let the other end know that we are done: its `run` returns, and so does ours."""
        self._writer.close()

    async def ask(self, message: Message, reply: type[M], within: float | None = None) -> M:
        """The reply. Raises WorkerChannelClosedError; HarnessError for none in time, or of another kind."""
        within = ANSWER_SECONDS if within is None else within
        number = next(self._numbers)
        self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._send(Envelope(message=message, number=number))
            async with asyncio.timeout(within):
                got = await self._asked[number]
        except TimeoutError as error:
            asked = type(message).__name__
            raise HarnessError(f"no answer to {asked} within {within:g} s", "the process hangs") from error
        finally:
            self._asked.pop(number, None)
        if not isinstance(got, reply):
            raise HarnessError(f"{type(message).__name__} was answered by {type(got).__name__}")
        return got

    def tell(self, message: Message) -> None:
        """Send news. Raises WorkerChannelClosedError."""
        self._send(Envelope(message=message))

    def _send(self, envelope: Envelope) -> None:
        if self._writer.is_closing():
            raise WorkerChannelClosedError("the other process is gone", "see what it said above")
        frame = msgspec.json.encode(envelope)
        self._writer.write(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)

    def _take(self, envelope: Envelope) -> None:
        if not envelope.is_reply:
            task = asyncio.get_running_loop().create_task(self._reply(envelope))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif (waiting := self._asked.get(envelope.number)) is not None and not waiting.done():
            waiting.set_result(envelope.message)

    async def _reply(self, envelope: Envelope) -> None:
        message = await self._answer(envelope.message)
        if message is not None and envelope.number and not self._writer.is_closing():
            self._send(Envelope(message=message, number=envelope.number, is_reply=True))

    async def _end(self) -> None:
        self._writer.close()
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(WorkerChannelClosedError("the other process is gone"))
        for task in list(self._answering):
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
