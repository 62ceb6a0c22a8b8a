"""A relay that only answers, on a core of its own: whatever comes gets an answer, as fast as Python can."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import cast

import uvloop

from tools.bench.machine import answer, questions

LENGTH = b"content-length:"
BODY = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    b"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:%016x\r\na=ice-pwd:%016x%016x\r\na=mid:0\r\n"
    b"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n"
)


class Answering(asyncio.Protocol):
    """HTTP/1.1 with connections that are kept, of requests with a length."""

    numbers = count(1)

    def __init__(self) -> None:
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = self._got[:end].lower()
            at = head.find(LENGTH)
            length = int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._got) < end + 4 + length:
                return
            self._got = self._got[end + 4 + length :]
            number = next(self.numbers)
            body = BODY % (number, number, number)
            head = b"HTTP/1.1 201 Created\r\ncontent-type: application/sdp\r\ncontent-length: %d\r\n\r\n"
            self._transport.write(head % len(body) + body)


async def serve() -> None:
    """Answer any question with the URL, until there are no more."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    async with server:
        async for _ in questions():
            answer(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/offer")


if __name__ == "__main__":
    uvloop.run(serve())
