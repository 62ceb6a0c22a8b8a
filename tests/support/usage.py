"""A usage endpoint of a target's backend, on loopback, that counts as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FakeUsage:
    """Answers `{"usage": {"total": …}}`: each of `figures` once, then the last one again and again.

    With `failing` it answers 503 instead. While `held` is not set, it does not answer.
    """

    figures: list[float] = field(default_factory=lambda: [0.0])
    failing: bool = False
    held: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    url: str = ""

    NUMBER = "usage.total"

    def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer."""
        self.held.wait()
        self.asked += 1
        if self.failing:
            return 503, b"the counting is down"
        figure = self.figures.pop(0) if len(self.figures) > 1 else self.figures[0]
        return 200, json.dumps({"usage": {"total": figure}}).encode()


@contextmanager
def fake_usage(*figures: float, failing: bool = False) -> Iterator[FakeUsage]:
    """One that runs, and answers at once."""
    usage = FakeUsage(list(figures) or [0.0], failing=failing)
    usage.held.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = usage.answer()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        usage.url = f"http://127.0.0.1:{server.server_address[1]}/usage"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield usage
        finally:
            usage.held.set()
            server.shutdown()
            thread.join()
