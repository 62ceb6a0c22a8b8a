"""The openers of each kind of caller: a row here for each of `harness.core.callers`."""

from __future__ import annotations

from collections.abc import Mapping

from harness.call.ends import BeginCalls
from harness.call.peer_end import peers
from harness.call.websocket_end import sockets

BEGIN_CALLS: Mapping[str, BeginCalls] = {"aiortc": peers, "websocket": sockets}
