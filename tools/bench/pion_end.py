"""Pion as the measured end: built from `pion/main.go` where Go and Debian's package of it are installed."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from harness.speech.library import load_library
from tools.bench.machine import Child, running
from tools.bench.near_end import CLIP

SOURCE = Path(__file__).with_name("pion") / "main.go"
GOPATH = Path("/usr/share/gocode")  # Debian: golang-github-pion-webrtc.v3-dev
BUILT = Path(".cache/pion/near")
BUILD_SECONDS = 300.0


def is_installed() -> bool:
    """Whether it can be built here."""
    return bool(shutil.which("go")) and (GOPATH / "src/github.com/pion/webrtc").is_dir()


@asynccontextmanager
async def pion(near: int, far: int) -> AsyncIterator[Child]:
    """Pion on one core with our far end on another: it answers what `near_end` answers."""
    await _build()
    async with running([str(BUILT), str(far), sys.executable], core=near) as child:
        packets = [base64.b64encode(p).decode() for p in load_library().clip(CLIP).packets]
        await child.ask({"packets": packets})
        yield child


async def _build() -> None:
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    building = await asyncio.create_subprocess_exec(
        "go",
        "build",
        "-o",
        str(BUILT),
        str(SOURCE),
        env={**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH)},
    )
    async with asyncio.timeout(BUILD_SECONDS):
        if await building.wait():
            raise RuntimeError("Pion cannot be built: see above")
