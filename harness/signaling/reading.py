"""Reading a response's body as it is on the wire: bounded, and never decoded.

A body of 600 bytes may become gigabytes where it is encoded (gzip in gzip). We ask for no encoding
(`Accept-Encoding: identity`, RFC 9110, section 12.5.3), so one that comes encoded all the same is not read.
"""

from __future__ import annotations

import httpx

from harness.core.printable import printable

LONGEST_CODING = 60  # characters that are shown


class UnaskedEncodingError(httpx.DecodingError):
    """The body is encoded, and nobody asked for that."""


async def read_body(response: httpx.Response, most: int) -> bytes:
    """Up to `most` bytes; the response is of a stream.

    Raises UnaskedEncodingError.
    """
    codings = response.headers.get("content-encoding", "")
    if [c for c in codings.split(",") if c.strip().lower() not in ("", "identity")]:
        raise UnaskedEncodingError(
            f"Content-Encoding: {printable(codings)[:LONGEST_CODING]}, where identity was asked for"
        )
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) >= most:
            break
    return bytes(content[:most])
