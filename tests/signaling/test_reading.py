"""Bodies are bounded as they are on the wire, and never decoded."""

from __future__ import annotations

import gzip

import httpx
import pytest

from harness.signaling.reading import UnaskedEncodingError, read_body

BOMB = gzip.compress(gzip.compress(bytes(50_000_000), 9), 9)


def responding(content: bytes, **headers: str) -> httpx.AsyncClient:
    async def handle(_request: httpx.Request) -> httpx.Response:
        async def chunks() -> object:
            for at in range(0, len(content), 1000):
                yield content[at : at + 1000]

        return httpx.Response(200, headers=headers, content=chunks())  # type: ignore[arg-type]

    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


async def read(content: bytes, most: int = 10_000, **headers: str) -> bytes:
    async with responding(content, **headers) as client, client.stream("GET", "http://x.test/") as response:
        return await read_body(response, most)


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip"])
async def test_a_body_that_is_encoded_is_not_read(coding: str) -> None:
    with pytest.raises(UnaskedEncodingError):
        await read(BOMB, **{"content-encoding": coding})


@pytest.mark.parametrize("coding", ["identity", "", " Identity "])
async def test_identity_is_no_encoding(coding: str) -> None:
    assert await read(b"v=0", **{"content-encoding": coding}) == b"v=0"


async def test_it_is_read_no_further_than_is_of_use() -> None:
    assert len(await read(bytes(1_000_000), 2500)) == 3000
