"""The target's processes, where it runs on this machine and we may see them."""

from __future__ import annotations

import contextlib
from urllib.parse import urlsplit

import psutil

from harness.core.loopback import is_loopback

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def listening_at(url: str) -> list[psutil.Process]:
    """Who listens at the port of a URL, with what they started; nobody where its host is another machine."""
    parts = urlsplit(url)
    if not is_loopback(parts.hostname or ""):
        return []
    port = parts.port or PORTS[parts.scheme]
    found: dict[int, psutil.Process] = {}
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                process = psutil.Process(connection.pid)
                for each in (process, *process.children(recursive=True)):
                    found[each.pid] = each
    return list(found.values())


def memory_of(processes: list[psutil.Process]) -> float | None:
    """What they have in memory, in bytes; None where any of them is gone, or there is none."""
    try:
        return float(sum(process.memory_info().rss for process in processes)) or None
    except psutil.Error:
        return None
