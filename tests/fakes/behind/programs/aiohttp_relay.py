"""A relay with OpenAI's host in its source, on aiohttp from end to end; prints its address."""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
from aiohttp import web

SESSION = {"type": "realtime", "model": "gpt-realtime-2.1"}


async def call(request: web.Request) -> web.Response:
    """The offer in, OpenAI's answer out."""
    form = aiohttp.FormData()
    form.add_field("sdp", await request.text(), content_type="application/sdp")
    form.add_field("session", json.dumps(SESSION), content_type="application/json")
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as client,
        client.post(
            "https://api.openai.com/v1/realtime/calls",
            data=form,
            headers={"Authorization": "Bearer sk-of-an-aiohttp-relay"},
        ) as answer,
    ):
        return web.Response(status=answer.status, text=await answer.text(), content_type="application/sdp")


async def main() -> None:
    """Serve until standard input ends."""
    app = web.Application()
    app.router.add_post("/session", call)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}/session\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
