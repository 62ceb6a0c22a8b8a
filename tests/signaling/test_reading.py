"""Bodies are bounded as they are on the wire, and never decoded."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest

from harness.signaling.reading import UnaskedEncodingError, read_body

BOMB = gzip.compress(gzip.compress(bytes(50_000_000), 9), 9)


def responding(content: bytes, coding: str | None) -> httpx.AsyncClient:
    async def handle(_request: httpx.Request) -> httpx.Response:
        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(content), 1000):
                yield content[at : at + 1000]

        headers = {"content-encoding": coding} if coding is not None else {}
        return httpx.Response(200, headers=headers, content=chunks())

    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


async def read(content: bytes, coding: str | None = None, *, most: int = 10_000) -> bytes:
    async with responding(content, coding) as client, client.stream("GET", "http://x.test/") as response:
        return await read_body(response, most)


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip"])
async def test_a_body_that_is_encoded_is_not_read(coding: str) -> None:
    with pytest.raises(UnaskedEncodingError):
        await read(BOMB, coding)


@pytest.mark.parametrize("coding", ["identity", "", " Identity "])
async def test_identity_is_no_encoding(coding: str) -> None:
    assert await read(b"v=0", coding) == b"v=0"


async def test_it_is_read_no_further_than_is_of_use() -> None:
    assert len(await read(bytes(1_000_000), most=2500)) == 2500
