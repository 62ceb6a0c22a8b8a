"""How a watch tells somebody: a command of theirs, and a webhook."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cli.watching import alerting
from harness.cli.watching.alerting import post, run_command
from harness.fakes.serving import running


def test_a_command_gets_the_alert_and_what_goes_wrong_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "told"
    script = "import json, os, sys; d = json.load(sys.stdin); "
    script += f"open({str(written)!r}, 'w').write(d['text'] + '|' + os.environ['HARNESS_ALERT_CAUSES'])"
    told = {"text": "it is $(down)", "causes": ["a.b: c", "d.e: f"], "before": None}

    async def attempts() -> list[str]:
        monkeypatch.setattr(alerting, "COMMAND_SECONDS", 10.0)
        said = [
            await run_command([sys.executable, "-c", script], told),
            await run_command(["sh", "-c", "echo no such channel >&2; exit 7"], told),
            await run_command([str(tmp_path / "none")], told),
        ]
        monkeypatch.setattr(alerting, "COMMAND_SECONDS", 0.2)
        return [*said, await run_command(["sh", "-c", "sleep 77 & wait"], told)]

    assert asyncio.run(attempts()) == [
        "",
        "the alert's command ended with 7: no such channel",
        "the alert's command cannot be started: No such file or directory",
        "the alert's command was ended after 0.2 s",
    ]
    assert written.read_text() == "it is $(down)|a.b: c; d.e: f"


def test_a_webhook_gets_the_alert_and_its_address_is_never_said(closed_port: int) -> None:
    received: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        received.append((await receive())["body"])
        status = 200 if scope["path"] == "/T0/secret" else 302
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    async def attempts() -> list[str]:
        async with running(app) as url:
            return [
                await post(f"{url}/T0/secret", {"text": "down"}),
                await post(f"{url}/T0/wrong", {}),
                await post(f"http://127.0.0.1:{closed_port}/T0/secret", {}),
            ]

    assert asyncio.run(attempts()) == [
        "",
        "the webhook answered with status 302",
        "the webhook was not reached: ConnectError",
    ]
    assert json.loads(received[0]) == {"text": "down"}
