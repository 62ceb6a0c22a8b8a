"""The part in C under the compiler's sanitizers, with what anybody may send to a port."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.peer.native import library

CHECKED = "    if (lane->held < BATCH && size >= 0 && size <= LARGEST) {"
FLAGS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
HOSTILE = """
import random, secrets, sys
from pathlib import Path
from pylibsrtp import Policy, Session
from harness.peer.native.lane import MediaLane
from harness.peer.native.library import LARGEST, opened

rng, profile = random.Random(3), Policy.SRTP_PROFILE_AEAD_AES_256_GCM
lane = MediaLane(opened(Path(sys.argv[1])))
key = secrets.token_bytes(44)
outgoing = Session(Policy(key, Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
incoming = Session(Policy(key, Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
lane.keys(outgoing, incoming)
lane.state.payload_type = 111
for number in range(3000):
    sizes = rng.choices((0, 1, 80, 1387, 1388, 1389, 4000), k=rng.randrange(6))
    lane.protect([rng.randbytes(size) for size in sizes])
    while lane.ready:
        lane.send()
        datagram = bytearray(lane.unsent())
        for _ in range(rng.randrange(3) if datagram else 0):
            datagram[rng.randrange(len(datagram))] = rng.randrange(256)
        lane.hold(bytes(datagram), 0.0)
    for size in rng.choices((0, 1, 2, 3, 11, 12, 13, 19, 20, 1400, 1401, LARGEST, LARGEST + 1), k=6):
        first, second = rng.choice((128, 129, 144, 160, 176, 191)), rng.choice((111, 200))
        lane.hold((bytes((first, second)) * (size // 2 + 1))[:size], 0.0)
    list(lane.opened())
"""


def preloads() -> list[str]:
    """The sanitizers' own libraries; fewer than two where gcc or they are not installed."""
    if not shutil.which("gcc"):
        return []
    named = (
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
        for name in ("libasan.so", "libubsan.so")
    )
    return [path for found in named if os.path.isabs(path := found.stdout.strip())]


pytestmark = pytest.mark.skipif(len(preloads()) < 2, reason="gcc has no sanitizers here")


def told_by_the_sanitizers(source: Path, folder: Path) -> str:
    made = folder / "lanes.so"
    command = ["gcc", *library.FLAGS, *FLAGS, "-o", str(made), str(source)]
    subprocess.run(command, check=True, timeout=60)
    environment = {
        **os.environ,
        "LD_PRELOAD": " ".join(preloads()),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own, at its end
    }
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE, str(made)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode != 0) == bool(done.stderr)
    return done.stderr


def test_no_datagram_and_no_payload_reaches_beyond_its_place(tmp_path: Path) -> None:
    assert told_by_the_sanitizers(library.SOURCE, tmp_path) == ""


def test_a_bound_that_is_not_checked_is_found(tmp_path: Path) -> None:
    source = library.SOURCE.read_text()
    assert source.count(CHECKED) == 1
    unchecked = tmp_path / "lanes.c"
    unchecked.write_text(source.replace(CHECKED, "    if (lane->held < BATCH) {"))
    assert "AddressSanitizer" in told_by_the_sanitizers(unchecked, tmp_path)
