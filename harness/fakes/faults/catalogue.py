"""All faults there are: importing this registers every one of them."""

from harness.fakes.faults import (
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
from harness.fakes.faults.registry import OPENAI_FAULTS, RELAY_FAULTS
from harness.fakes.relay import faults as relay

__all__ = [
    "OPENAI_FAULTS",
    "RELAY_FAULTS",
    "answers",
    "connecting",
    "events",
    "http",
    "lifecycle",
    "relay",
    "responses",
    "session",
    "sound",
    "turns",
]
