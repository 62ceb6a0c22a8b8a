"""What a careless relay does with a WebSocket that it had better refuse: asked once, and closed at once."""

from __future__ import annotations

from harness.call.line import CallLine
from harness.core.probes import CALL_HEADER, FOREIGN_ORIGIN, FOREIGN_UPGRADE, UNAUTHENTICATED
from harness.websocket.opening import Opening


async def open_from_elsewhere(line: CallLine) -> None:
    """As a page of another origin, with all that the browser would send for this user: its cookies."""
    kept = [h for h in line.target.request_headers() if h[0].lower() not in ("origin", "authorization")]
    await _open(line, [*kept, ("Origin", FOREIGN_ORIGIN)], FOREIGN_UPGRADE)


async def open_without_credentials(line: CallLine) -> None:
    """As anybody who knows the address."""
    await _open(line, line.target.request_headers(credentials=False), UNAUTHENTICATED)


async def _open(line: CallLine, headers: list[tuple[str, str]], purpose: str) -> None:
    sender = line.sender
    opening = Opening(sender.record, sender.clock, sender.redactor, line.timeouts)
    named = [*headers, (CALL_HEADER, line.end.ufrag)]
    connection = await opening.open(
        line.target.url, named, line.target.public_subprotocols(), purpose=purpose
    )
    if connection is not None:
        await connection.close()
