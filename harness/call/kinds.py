"""The openers of each kind of caller: a row here for each of `harness.core.callers`."""

from __future__ import annotations

from collections.abc import Mapping

from harness.call.chromium_end import chromium_calls
from harness.call.ends import BeginCalls
from harness.call.page_end import pages
from harness.call.peer_end import peers
from harness.call.websocket_end import sockets

BEGIN_CALLS: Mapping[str, BeginCalls] = {
    "aiortc": peers,
    "chromium": chromium_calls,
    "page": pages,
    "websocket": sockets,
}
