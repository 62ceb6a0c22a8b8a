from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from harness.speech import opus
from harness.speech.library import load_library, own_fixtures
from harness.speech.manifest import MANIFEST
from harness.speech.packets import PACKETS, Encoded, packets_in
from tools.packets import encoded


def test_what_is_stored_is_what_the_encoder_makes_of_the_recordings() -> None:
    stored = msgspec.msgpack.decode((own_fixtures() / PACKETS).read_bytes(), type=Encoded)
    assert stored == encoded(), "run python -m tools.packets"


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
    assert load_library(folder).clip("en-m-yes").packets == load_library().clip("en-m-yes").packets
