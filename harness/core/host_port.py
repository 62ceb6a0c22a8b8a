"""Where a server listens, as it is written in options: HOST:PORT."""

from __future__ import annotations

from harness.core.errors import UsageError

HIGHEST_PORT = 65_535


def split_bind(bind_to: str) -> tuple[str, int]:
    """`HOST:PORT` as a pair. Raises UsageError."""
    host, colon, port = bind_to.rpartition(":")
    if not colon or not port.isdigit() or int(port) > HIGHEST_PORT:
        raise UsageError(f"{bind_to!r} is not HOST:PORT", "try 127.0.0.1:8089")
    return host.strip("[]") or "127.0.0.1", int(port)
