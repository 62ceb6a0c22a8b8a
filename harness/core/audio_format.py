"""The one format of sound in a call: 48 kHz, one channel, packets of 20 ms (RFC 7587, section 4)."""

from __future__ import annotations

from typing import Final

RATE: Final = 48_000
FRAME_MS: Final = 20
FRAME_SECONDS: Final = FRAME_MS / 1000
FRAME_SAMPLES: Final = RATE * FRAME_MS // 1000
