"""Imported first by our programs, and by nothing else: from here on Ctrl-C ends the process in silence."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.run.early import be_quiet

# Whoever imports a program's module for something else, as a test does, keeps its own Ctrl-C.
if Path(sys.argv[0]).name in ("harness", "-m", "__main__.py", "capacity.py", "soak.py"):
    be_quiet()
