"""The recorder: one script that runs in each document before the page's own code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

MicrophoneKind = Literal["willing", "denied", "missing"]

PARTS = ("base", "connection", "microphone", "listening", "page")
BINDING = "__harnessTell"
ROUND_TRIPS = 5
ANSWERED_AFTER_MS = 30  # a device that is there, and a user who has agreed before
SLOW_MS = 700  # a Bluetooth headset takes 300 ms and more to change to its microphone


@dataclass(frozen=True)
class MicrophoneSettings:
    """How getUserMedia is answered: willingly or not, and after how many milliseconds."""

    kind: MicrophoneKind = "willing"
    delay_ms: int = ANSWERED_AFTER_MS


MICROPHONES = {
    "willing": MicrophoneSettings(),
    "slow": MicrophoneSettings(delay_ms=SLOW_MS),
    "denied": MicrophoneSettings("denied"),
    "missing": MicrophoneSettings("missing"),
}


def recorder(secret: str, microphone: MicrophoneSettings, *, detour: int = 0) -> str:
    """The script, for one context: `secret` is the name under which the harness finds it again.

    `detour`: a port of ours on loopback that answers' candidates are replaced by; 0 for none.
    """
    configuration = {
        "detour": detour,
        "secret": secret,
        "roundTrips": ROUND_TRIPS,
        "microphone": {"kind": microphone.kind, "delay": microphone.delay_ms},
    }
    return f'(() => {{\n"use strict";\nconst CONFIG = {json.dumps(configuration)};\n{_parts()}\n}})();\n'


@cache
def _parts() -> str:
    folder = files("harness.browser") / "scripts"
    return "\n".join((folder / f"{part}.js").read_text(encoding="utf-8") for part in PARTS)
