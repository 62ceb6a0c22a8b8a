"""The ways for the fake to misbehave, by name. Importing this package registers them."""

from harness.fakes.faults.own import load_own_faults
from harness.fakes.faults.registry import OPENAI_FAULTS
from harness.fakes.openai.faults import (
    answers,
    connecting,
    events,
    http,
    lifecycle,
    responses,
    session,
    sound,
    turns,
)

__all__ = [
    "OPENAI_FAULTS",
    "answers",
    "connecting",
    "events",
    "http",
    "lifecycle",
    "responses",
    "session",
    "sound",
    "turns",
]

load_own_faults()
