"""Importing this makes what every fake makes when it starts: for processes that others are forked from."""

from __future__ import annotations

from harness.core.collector import freeze_loaded
from harness.core.event_types import event_types
from harness.fakes.openai.calls import warm_up
from harness.speech.library import load_library

event_types()
warm_up(load_library(), "silero")
# Else the collector looks through all of it in each process, at its end several times, and copies its pages.
freeze_loaded()
