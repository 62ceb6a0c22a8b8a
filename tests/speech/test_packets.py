from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from harness.speech import opus
from harness.speech.library import load_library, own_fixtures
from harness.speech.manifest import MANIFEST
from harness.speech.packets import PACKETS, Encoded, packets_in
from tools.packets import encoded

# Measured between two kinds of processor: 39 dB (white noise) and more; of another bit rate: 14.
LIKE_DB = 25.0


def likeness(packets: Sequence[bytes], others: Sequence[bytes]) -> float:
    """How far the difference of what is heard of both lies below the sound, in dB."""
    one, other = (
        np.concatenate(list(map(opus.Decoder().decode, p))).astype(float) for p in (packets, others)
    )
    noise = np.sum((one - other) ** 2)
    return float("inf") if not noise else 10 * math.log10(np.sum(one**2) / noise)


def test_what_is_stored_is_what_the_encoder_makes_of_the_recordings() -> None:
    """Not to the bit: the encoder computes with what the processor has, and rounds with it."""
    stored = msgspec.msgpack.decode((own_fixtures() / PACKETS).read_bytes(), type=Encoded)
    made = encoded()
    again = "run python -m tools.packets"
    assert (stored.manifest, stored.encoder) == (made.manifest, made.encoder), again
    assert {n: len(p) for n, p in stored.clips.items()} == {n: len(p) for n, p in made.clips.items()}, again
    unlike = {n: db for n in made.clips if (db := likeness(stored.clips[n], made.clips[n])) < LIKE_DB}
    assert unlike == {}, again


def test_a_clip_is_said_with_the_stored_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus, "encode", lambda _samples: pytest.fail("encoded again"))
    clip = load_library(own_fixtures()).clip("en-m-yes")
    assert clip.packets == packets_in(own_fixtures())["en-m-yes"]


@pytest.mark.parametrize("spoil", ["manifest", "packets", "absent"])
def test_packets_of_another_manifest_or_of_none_are_passed_over(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "fixtures"
    shutil.copytree(own_fixtures(), folder)
    match spoil:
        case "manifest":
            with (folder / MANIFEST).open("a") as file:
                file.write("\n# another\n")
        case "packets":
            (folder / PACKETS).write_bytes(b"\x81\xa8half")
        case _:
            (folder / PACKETS).unlink()
    assert packets_in(folder) == {}
    encoded_now = load_library(folder).clip("en-m-yes").packets
    assert likeness(encoded_now, load_library().clip("en-m-yes").packets) > LIKE_DB
