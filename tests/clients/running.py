"""Running every client side by side against one `harness fake-openai`, and gathering what they report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import ssl
import sys
import tempfile
import wave
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from harness.fakes.openai.speaking import wire_audio
from harness.fakes.serving import running
from harness.speech.library import load_library
from tests.clients.clients import FOLDER, OWN_PYTHON, ROOT, Client
from tests.fakes.callers import KEY, SESSION, Reached, calling
from tests.report.html.browser import chromium
from tests.support.certificates import TestCertificate, make_certificate
from tests.support.programs import ending_with_us

SEED = 7
LONGEST_SECONDS = 100.0  # one client's conversation takes about 20 s, and far longer on a busy machine
LEAVING_SECONDS = 10.0
SPEECH = {"yes": "en-m-yes", "wait": "en-f-wait", "silence": "silence"}
AT_ONCE = 3  # conversations: a fake that has no time to listen is interrupted too late
# A long reply, so that there is something to interrupt; the detector that costs little.
FAKE = (
    "--seed",
    str(SEED),
    "--voice",
    "recorded:en-m-reply-long",
    "--reply-delay-ms",
    "100",
    "--vad",
    "webrtc",
)


@dataclass
class Result:
    """What a client's program reported: `failed` by feature, None for one that works."""

    version: str = ""
    features: dict[str, str | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, line: dict[str, Any]) -> None:
        """One object of its report."""
        if "version" in line:
            self.version = line["version"]
        if "feature" in line:
            self.features[line["feature"]] = line.get("failed")
        if "problem" in line:
            self.problems.append(f"during {line['during']}: {line['problem']}")

    def of(self, feature: str) -> str | None:
        """Why a feature does not work, or None."""
        return self.features.get(feature, "the program did not come so far")


@dataclass
class Outcome:
    """All results by the clients' names, and the fake's calls as `/_fake/calls` shows them."""

    results: dict[str, Result]
    calls: list[dict[str, Any]]
    ran_in: dict[str, str]  # versions by name


async def converse(clients: Sequence[Client], node: str = "", browser: str = "") -> Outcome:
    """Every client's conversation. `node`, `browser`: the programs, where a client needs them."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        record_speech(folder)
        certificate = make_certificate(folder)
        url = await stack.enter_async_context(fake_openai())
        tls = await stack.enter_async_context(behind_tls(url, certificate))
        setting = {"url": f"{url}/v1", "tls": f"{tls}/v1", "key": KEY, "speech": str(folder)}
        pages = ""
        opened: Browser | None = None
        if any(client.runs_in == "page" for client in clients):
            pages = await stack.enter_async_context(running(pages_app(folder)))
            opened = await stack.enter_async_context(chromium(browser))

        free = asyncio.Semaphore(AT_ONCE)

        async def result(client: Client) -> Result:
            given = {**setting, "native": client.native}
            async with free:
                if opened is not None and client.runs_in == "page":
                    return await in_page(opened, pages, client, given)
                return await in_process(command(client, node), given, certificate)

        async with live_call(url) as setting["call"]:
            longest_first = sorted(clients, key=lambda client: client.runs_in != "page")
            results = await asyncio.gather(*map(result, longest_first))
        calls = await ended_calls(url)
        ran_in = {"Python": platform.python_version()}
        if node:
            ran_in["Node.js"] = await version_of(node)
        if opened is not None:
            ran_in["Chromium"] = opened.version
        by_name = {client.name: result for client, result in zip(longest_first, results, strict=True)}
        return Outcome(by_name, calls, ran_in)


async def version_of(node: str) -> str:
    """What Node.js says of itself, without the v."""
    process = await asyncio.create_subprocess_exec(node, "--version", stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode().strip().removeprefix("v")


@asynccontextmanager
async def live_call(url: str) -> AsyncIterator[str]:
    """A WebRTC call for clients to join; yields its id."""
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
        fake = Reached(url, http)
        async with calling(fake, SESSION) as caller:
            await caller.event("session.created", within=30.0)
            [call] = await fake.calls(ufrag=caller.peer.ufrag, events="0")
            yield call["id"]


async def ended_calls(url: str) -> list[dict[str, Any]]:
    """The fake's calls, once it has seen them all end; those that did not end in time are still `live`."""
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:

        async def calls(**query: str) -> list[dict[str, Any]]:
            reply = await http.get(f"{url}/_fake/calls", params=query)
            found: list[dict[str, Any]] = reply.raise_for_status().json()["calls"]
            return found

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS):
                while any(call["state"] != "ended" for call in await calls(events="0")):
                    await asyncio.sleep(0.1)
        return await calls()


def record_speech(folder: Path) -> None:
    """What the clients say: 16-bit PCM at 24 kHz, as a WebSocket carries it, and WAV at 48 kHz."""
    for name, clip in SPEECH.items():
        samples = load_library().clip(clip).samples
        (folder / f"{name}.pcm").write_bytes(wire_audio.encode(samples, "audio/pcm"))
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(48_000)
            file.writeframes(samples.tobytes())


@asynccontextmanager
async def fake_openai() -> AsyncIterator[str]:
    """The command as users start it; yields its base URL."""
    program = [sys.executable, "-m", "harness", "fake-openai", "--bind", "127.0.0.1:0", *FAKE]
    process = await asyncio.create_subprocess_exec(
        *ending_with_us(program), cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            url = (await process.stdout.readline()).decode().strip()
        assert url.startswith("http"), f"the fake did not start: {url!r}"
        yield url
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def behind_tls(url: str, certificate: TestCertificate) -> AsyncIterator[str]:
    """openai-node opens WebSockets with TLS alone; yields the same server's base URL with it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    parts = httpx.URL(url)
    carrying: set[asyncio.Task[Any]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        carrying.add(task)
        try:
            inner_reader, inner_writer = await asyncio.open_connection(parts.host, parts.port)
            ways = (copy(reader, inner_writer), copy(inner_reader, writer))
            await asyncio.gather(*ways, return_exceptions=True)  # whoever closes first ends both ways
        finally:
            carrying.discard(task)

    server = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side closes; then close the other."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


def command(client: Client, node: str) -> list[str]:
    """How the client's program is started."""
    if client.runs_in == "node":
        flags = ["--experimental-websocket", "--disable-warning=ExperimentalWarning"] if client.native else []
        return [node, *flags, str(FOLDER / "programs" / f"{client.program}.mjs")]
    python = OWN_PYTHON if client.runs_in == "own-python" else sys.executable
    return [str(python), "-W", "default", "-m", f"tests.clients.programs.{client.program}"]


async def in_process(program: list[str], setting: dict[str, Any], certificate: TestCertificate) -> Result:
    """A program that reports to standard output; whatever else it says, and a bad end, is a problem."""
    result = Result()
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate.ca), "NODE_OPTIONS": ""}
    process = await asyncio.create_subprocess_exec(
        *ending_with_us(program),
        json.dumps(setting),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        output, errors = await process.communicate()
        result.problems.append(f"it had not come to its end after {LONGEST_SECONDS:g} s")
    for line in output.decode().splitlines():
        try:
            result.take(json.loads(line))
        except ValueError:
            result.problems.append(f"it said: {line}")
    result.problems += [f"it said: {line}" for line in errors.decode().splitlines()]
    if process.returncode:
        result.problems.append(f"it ended with status {process.returncode}")
    return result


def pages_app(speech: Path) -> Starlette:
    """The pages, the packages that they import, and the speech."""
    return Starlette(
        routes=[
            Mount("/speech", StaticFiles(directory=speech)),
            Mount("/programs", StaticFiles(directory=FOLDER / "programs")),
            Mount("/node_modules", StaticFiles(directory=FOLDER / "node_modules")),
        ]
    )


async def in_page(browser: Browser, pages: str, client: Client, setting: dict[str, Any]) -> Result:
    """A program in a page of its own; whatever the console says, and what nobody caught, is a problem."""
    result = Result()

    def note(what: str) -> Callable[[object], None]:
        return lambda said: result.problems.append(f"{what}: {said}")

    page = await browser.new_page()
    try:
        page.on("console", lambda message: note(f"console, {message.type}")(message.text))
        page.on("pageerror", note("uncaught"))
        page.on("requestfailed", lambda request: note("request failed")(request.url))
        await page.expose_function("report", result.take)
        await page.goto(f"{pages}/programs/page.html")
        begin = "([program, setting]) => import(program).then((page) => page.default(setting))"
        async with asyncio.timeout(LONGEST_SECONDS):
            await page.evaluate(begin, [f"/programs/{client.program}.mjs", setting])
    except TimeoutError:
        result.problems.append(f"it had not come to its end after {LONGEST_SECONDS:g} s")
    finally:
        await page.close()
    return result
