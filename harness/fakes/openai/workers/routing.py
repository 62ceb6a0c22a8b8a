"""Which process a request is for: told from its first line, and from the id of the call that it names."""

from __future__ import annotations

import random
import re
import zlib
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from harness.fakes.openai.http.app import MANAGEMENT_PATH
from harness.fakes.openai.ids import Ids

CALL = "rtc"  # the prefix of a call's id
_CALL_CONTROL = re.compile(r"(?:/openai)?/v1/(?:realtime/calls|live/sessions)/([^/]+)/[a-z]+")
_SOCKETS = ("/v1/realtime", "/openai/v1/realtime")


@dataclass(frozen=True)
class Destination:
    """`call_id`: whoever has this call. Neither: any worker."""

    management: bool = False
    call_id: str | None = None


def destination(head: bytes) -> Destination:
    """Where the request goes whose first bytes are `head`, which hold its first line if it is of any use."""
    words = head.partition(b"\r\n")[0].partition(b"\n")[0].split(b" ")
    if len(words) != 3:
        return Destination()  # no HTTP: a worker will say so
    target, _, query = words[1].decode("latin-1").partition("?")
    path = unquote(target)
    if path == MANAGEMENT_PATH or path.startswith(f"{MANAGEMENT_PATH}/"):
        return Destination(management=True)
    if (control := _CALL_CONTROL.fullmatch(path)) is not None:
        return Destination(call_id=control.group(1))
    if path in _SOCKETS and (named := parse_qs(query).get("call_id")):
        return Destination(call_id=named[-1])
    return Destination()


def worker_of(call_id: str, workers: int) -> int:
    """The index of the worker that makes calls of this id."""
    return zlib.crc32(call_id.encode()) % workers


class WorkerIds(Ids):
    """Ids of one worker: a call's id tells whose it is, and looks like any other."""

    def __init__(self, seed: int, index: int, workers: int) -> None:
        super().__init__(random.Random(f"{seed}/{index}"))  # noqa: S311  (replayable on purpose)
        self._index = index
        self._workers = workers

    def new(self, prefix: str) -> str:
        """As `Ids.new`."""
        while True:
            made = super().new(prefix)
            if prefix != CALL or worker_of(made, self._workers) == self._index:
                return made
