"""The one switch: leave alone what only some systems have, as on a system that has none of it."""

from __future__ import annotations

import sys

from harness.config.settings import read_settings


def is_plain() -> bool:
    """Whether only what stands in is used: on Windows, or with HARNESS_PLAIN_PLATFORM=1."""
    return sys.platform == "win32" or read_settings().plain_platform


def is_linux() -> bool:
    """Whether the system itself is Linux, whatever the switch says."""
    return sys.platform == "linux"
