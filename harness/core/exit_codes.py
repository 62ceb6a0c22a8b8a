"""What every command of the harness ends with; docs/ci.md is for people."""

from __future__ import annotations

from typing import Final

CONFORMING: Final = 0
VIOLATING: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
INCONCLUSIVE: Final = 4  # or the harness broke
INTERRUPTED: Final = 130  # as a shell reports SIGINT
