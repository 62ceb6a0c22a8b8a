"""`python -m harness.peer.native`: build the native packet path for this user and machine."""

from __future__ import annotations

import sys

from harness.core.errors import UsageError
from harness.peer.native.library import build

if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build()}\n")
    except UsageError as error:
        sys.exit(str(error))
