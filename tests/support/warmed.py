"""Importing this makes what every fake makes when it starts: for processes that others are forked from."""

from __future__ import annotations

from harness.core.collector import freeze_loaded
from harness.core.realtime_events import client_events, server_events
from harness.fakes.openai.hearing import detectors
from harness.fakes.openai.hearing.recognition import recognizer_of
from harness.speech.library import load_library

_LIBRARY = load_library()

client_events()
server_events()
recognizer_of(_LIBRARY)
for _clip in _LIBRARY.values():
    if _clip.role == "assistant":
        _ = _clip.packets
detectors.stock("silero", 6)
# Else the collector looks through all of it in each process, at its end several times, and copies its pages.
freeze_loaded()
