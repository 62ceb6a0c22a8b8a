"""All faults there are: importing this registers every one of them."""

from harness.fakes.faults import answers, connecting, http, lifecycle, sound
from harness.fakes.faults.registry import OPENAI_FAULTS, RELAY_FAULTS
from harness.fakes.relay import faults as relay

__all__ = [
    "OPENAI_FAULTS",
    "RELAY_FAULTS",
    "answers",
    "connecting",
    "http",
    "lifecycle",
    "relay",
    "sound",
]
