"""An upstream that only answers, as fast as Python can: `python -m tools.limits.upstream`.

The fake OpenAI takes 2.7 ms an offer even with `--answers-only`: in front of it all relays would be found to
take as many, the fake's own.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from tools.bench.offers_far import Answering


async def serve() -> None:
    """Until standard input ends."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    async with server:
        sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
