"""The one address of a fake with several workers: each connection is handed to the process that it is for.

Only the first line of a request is read here; management is served here; nothing else passes through.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable

from harness.core.printable import printable
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.openai.faults import OPENAI_FAULTS
from harness.fakes.openai.http.app import FakeOpenAI, api_app, management_route
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.workers.crew import Crew, Report
from harness.fakes.openai.workers.routing import destination
from harness.fakes.serving import Adopt, adopting, base_url, bind, running
from harness.platform.handing import MOST_HEAD, can_hand_over

FIRST_LINE_SECONDS = 60.0
BACKLOG = 2048
BREATH_SECONDS = 0.1


@contextlib.asynccontextmanager
async def serving_fake(
    settings: FakeSettings,
    *,
    workers: int = 1,
    host: str = "127.0.0.1",
    port: int = 0,
    broken: Callable[[], None] = lambda: None,
    report: Report | None = None,
) -> AsyncIterator[str]:
    """Serve the fake in this process, or in as many others as asked for; yields its base URL.

    Where this system cannot hand connections to other processes it is this one alone, and that is said.
    `broken` is called when the last worker has died. Raises UsageError for bad settings and addresses.
    """
    say = report or _print_error
    if workers > 1 and not can_hand_over():
        say(f"this system hands no connection to another process: the fake has one, not {workers} (use WSL)")
        workers = 1
    if workers == 1:
        async with running(FakeOpenAI(settings).app, host=host, port=port) as url:
            yield url
        return
    plan = FaultPlan(OPENAI_FAULTS, seed=settings.seed, faults=settings.faults)
    crew = Crew(settings, workers, plan, say, broken)
    app = api_app([management_route(plan, crew, settings)], settings)
    with bind(host, port) as listener:
        async with crew.running(), adopting(app) as adopt, _accepting(listener, Doorman(crew, adopt)):
            yield base_url(listener)


class Doorman:
    """Reads the first line of each connection, and hands it on."""

    def __init__(self, crew: Crew, adopt: Adopt) -> None:
        self._crew = crew
        self._adopt = adopt

    async def admit(self, connection: socket.socket) -> None:
        """See the connection to its process; it is closed here where nobody is there to take it."""
        with contextlib.ExitStack() as ours:
            ours.callback(connection.close)
            head = await _head(connection)
            if not head:
                return
            where = destination(head)
            if where.management:
                ours.pop_all()
                await self._adopt(connection, head)
                return
            while (member := self._crew.choose(where.call_id)) is not None:
                try:
                    await member.give(connection, head)
                except OSError:
                    member.alive = False  # found before its end was noticed
                else:
                    return


async def _head(connection: socket.socket) -> bytes:
    """The first bytes, with the first line if it is not too long; `b""` where nothing came."""
    loop = asyncio.get_running_loop()
    head = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(FIRST_LINE_SECONDS):
            while b"\n" not in head and len(head) < MOST_HEAD:
                chunk = await loop.sock_recv(connection, MOST_HEAD - len(head))
                if not chunk:
                    break
                head += chunk
    return head


@contextlib.asynccontextmanager
async def _accepting(listener: socket.socket, doorman: Doorman) -> AsyncIterator[None]:
    listener.listen(BACKLOG)
    accepting = asyncio.create_task(_accept(listener, doorman))
    try:
        yield
    finally:
        accepting.cancel()
        await asyncio.wait({accepting})


async def _accept(listener: socket.socket, doorman: Doorman) -> None:
    loop = asyncio.get_running_loop()
    admitting: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:  # such as EMFILE: those that wait are accepted later
                loop.call_exception_handler({"message": "a connection was not accepted", "exception": error})
                await asyncio.sleep(BREATH_SECONDS)
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.create_task(doorman.admit(connection))
            admitting.add(task)
            task.add_done_callback(admitting.discard)
    finally:
        for task in admitting:
            task.cancel()
        await asyncio.gather(*admitting, return_exceptions=True)


def _print_error(line: str) -> None:
    sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.flush()
