"""A relay as many are written: Starlette, uvicorn, httpx. `python -m tools.limits.asgi_relay UPSTREAM`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SESSION = json.dumps({"type": "realtime", "model": "gpt-realtime", "audio": {"output": {"voice": "marin"}}})
UPSTREAM_SECONDS = 15.0


def application(upstream: str) -> Starlette:
    """One client for all requests, as httpx wants it."""
    limits = httpx.Limits(max_connections=None)
    client = httpx.AsyncClient(trust_env=False, limits=limits, timeout=UPSTREAM_SECONDS)

    async def offer(request: Request) -> Response:
        asked = json.loads(await request.body())
        try:
            answered = await client.post(
                f"{upstream}/realtime/calls",
                headers={"Authorization": "Bearer sk-of-nobody"},
                files={"sdp": (None, asked["sdp"]), "session": (None, SESSION)},
            )
        except httpx.HTTPError:
            return Response(status_code=502)
        status = 200 if answered.is_success else 502
        return Response(answered.text, status_code=status, media_type="application/sdp")

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(routes=[Route("/offer", offer, methods=["POST"])], lifespan=lifespan)


async def serve(upstream: str) -> None:
    """Until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = uvicorn.Server(uvicorn.Config(application(upstream), log_level="error"))
    serving = asyncio.create_task(server.serve([listener]))
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}/offer\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(sys.argv[1]))
