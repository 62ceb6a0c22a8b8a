"""Starting Python processes of our own."""

from __future__ import annotations

import os
from pathlib import Path


def environment() -> dict[str, str]:
    """Ours, in which a child finds this very package wherever it is started."""
    package = Path(__file__).parents[2]
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
