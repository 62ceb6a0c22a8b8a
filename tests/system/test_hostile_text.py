"""One relay whose every text would take hold of a terminal; then all that runs leave is read."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.fakes.openai.media.peer import FakePeer
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import SESSION_PATH, RelaySettings
from harness.fakes.serving import running
from tests.fakes.callers import KEY, quick, serving
from tests.support.escapes import HOSTILE, raw_in
from tests.support.preloaded import Program, run

COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # rich's own, at a terminal
ROOT = Path(__file__).parents[2]
TEXTS = {"model", "transcript", "delta", "instructions", "language", "name", "code", "message", "text"}


def spoiled(value: Any) -> Any:
    """Each text that is read by people, with the hostile one behind it."""
    if isinstance(value, list):
        return [spoiled(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item + HOSTILE if key in TEXTS and isinstance(item, str) else spoiled(item)
        for key, item in value.items()
    }


def spoiling_headers(app: ASGIApp) -> ASGIApp:
    """Of a header, HTTP leaves C1 and what UTF-8 is made of (RFC 9110, section 5.5)."""
    odd = "\x9b31m\u202e".encode()

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        async def spoil(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [
                    (n, v + b"; x=" + odd if n == b"content-type" else v) for n, v in message["headers"]
                ]
                message = {**message, "headers": [*headers, (b"location", b"/" + odd), (b"x-debug", odd)]}
            await send(message)

        await app(scope, receive, spoil if scope["type"] == "http" else send)

    return respond


@pytest.fixture
async def target(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Where the relay takes offers."""
    send = FakePeer._send
    monkeypatch.setattr(
        FakePeer, "_send", lambda peer, text: send(peer, json.dumps(spoiled(json.loads(text))))
    )
    async with serving(quick()) as fake:
        relay = ReferenceRelay(RelaySettings(upstream=fake.url, api_key=KEY))
        async with running(spoiling_headers(relay.app)) as url:
            yield f"{url}{SESSION_PATH}"


async def at_a_terminal(*arguments: str) -> str:
    """What `harness …` prints there."""
    ours, theirs = pty.openpty()
    terminal = Path(os.ttyname(theirs))
    reading = asyncio.create_task(asyncio.to_thread(read_all, ours))
    try:
        await said("harness", arguments, terminal, dict(os.environ))
    finally:
        os.close(theirs)
        printed = await reading
        os.close(ours)
    return printed


async def said(program: Program, arguments: Sequence[str], to: Path, environment: Mapping[str, str]) -> None:
    await asyncio.to_thread(
        run, program, arguments, cwd=ROOT, environment=environment, output=to, seconds=100
    )


def read_all(descriptor: int) -> str:
    read = b""
    try:
        while chunk := os.read(descriptor, 65536):
            read += chunk
    except OSError:  # how Linux says that the other end of a terminal is gone
        pass
    return read.decode("utf-8", "surrogateescape")


async def in_a_file(folder: Path, program: Program, *arguments: str) -> str:
    """What a program prints there."""
    printed = folder / f"{program}.txt"
    await said(program, arguments, printed, {**os.environ, "NO_COLOR": "1"})
    return printed.read_bytes().decode("utf-8", "surrogateescape")


async def test_nothing_that_a_target_says_reaches_a_terminal_or_a_report_raw(
    target: str, tmp_path: Path
) -> None:
    doctor, made = tmp_path / "doctor", tmp_path / "run"
    junit, allure = tmp_path / "junit.xml", tmp_path / "allure"
    seen, printed = await asyncio.gather(
        at_a_terminal("doctor", target, f"--reports={doctor}", "--say=en-m-yes"),
        in_a_file(
            tmp_path,
            "pytest",
            *("scenarios/session_update_only.py", "-rA"),
            *(f"--target={target}", f"--reports={made}", f"--junitxml={junit}", f"--alluredir={allure}"),
            *("-p", "no:cacheprovider", "--log-cli-level=INFO"),
        ),
    )
    document = await in_a_file(
        tmp_path, "harness", "judge", str(next((made / "calls").glob("*/timeline.jsonl"))), "--json"
    )
    assert r"\u202e" in seen, seen
    assert r"\u202e" in printed, printed
    assert raw_in(COLOURS.sub("", seen.replace("\r\n", "\n").replace("\r", ""))) == []
    assert raw_in(printed) == []
    assert json.loads(document)
    assert raw_in(document) == []
    written = [junit, *allure.iterdir(), *doctor.rglob("*"), *made.rglob("*")]
    texts = [path for path in written if path.suffix in (".xml", ".json", ".jsonl", ".html", ".txt")]
    assert {path.suffix for path in texts} == {".xml", ".json", ".jsonl", ".html", ".txt"}
    for path in texts:
        assert raw_in(path.read_text(encoding="utf-8")) == [], path
