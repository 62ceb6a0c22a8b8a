"""Listening at an address that another program of ours has just left, and that nobody else has."""

from __future__ import annotations

import socket
import sys


def claim(listener: socket.socket) -> None:
    """Before it is bound. On Windows SO_REUSEADDR would let two programs listen at one address."""
    option = "SO_EXCLUSIVEADDRUSE" if sys.platform == "win32" else "SO_REUSEADDR"
    listener.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
