"""Encode our fixtures and write `fixtures/audio/packets.msgpack` anew: `python -m tools.packets`."""

from __future__ import annotations

import av
import msgspec

from harness.speech import opus
from harness.speech.library import load_library, own_fixtures
from harness.speech.packets import PACKETS, Encoded, manifest_digest


def encoded() -> Encoded:
    """Every clip, with the encoder that is installed."""
    clips = {name: opus.encode(clip.samples) for name, clip in load_library(own_fixtures()).items()}
    return Encoded(manifest_digest(own_fixtures()), f"libopus of PyAV {av.__version__}", clips)


if __name__ == "__main__":
    (own_fixtures() / PACKETS).write_bytes(msgspec.msgpack.encode(encoded()))
