"""Packets of a folder's clips, encoded beforehand: else every process would spend a second on it.

`python -m tools.packets` writes the file. It holds for one manifest, byte for byte, and with it for the
recordings whose checksums stand there; beside any other manifest it is passed over, and clips are encoded
when they are first said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from harness.speech.manifest import MANIFEST

PACKETS = "packets.msgpack"


class Encoded(msgspec.Struct):
    """The SHA-256 of the manifest, what encoded its clips, and each clip's packets."""

    manifest: str
    encoder: str
    clips: dict[str, tuple[bytes, ...]]


def manifest_digest(folder: Path) -> str:
    """What the packets of a folder must have been made for."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


@lru_cache
def packets_in(folder: Path) -> Mapping[str, tuple[bytes, ...]]:
    """Clip's name → its packets; nothing where there are none for the manifest as it is."""
    try:
        found = msgspec.msgpack.decode((folder / PACKETS).read_bytes(), type=Encoded)
    except (OSError, msgspec.DecodeError):
        return {}
    return found.clips if found.manifest == manifest_digest(folder) else {}
