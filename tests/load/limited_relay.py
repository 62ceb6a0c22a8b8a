"""A relay that holds so many calls and no more: what a search for capacity has to find."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.fakes.embedded import EmbeddedPair


@contextmanager
def limited_relay(pair: EmbeddedPair, most: int) -> Iterator[str]:
    """The URL of a relay in front of the pair's that answers 503 while the fake has `most` calls."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            offer = self.rfile.read(int(self.headers["content-length"]))
            with urllib.request.urlopen(f"{pair.fake}/_fake/health") as health:
                live = json.load(health)["live"]
            if live >= most:
                self._answer(503, b'{"error":"too many calls"}', "application/json")
                return
            request = urllib.request.Request(
                pair.offer_url, offer, {"content-type": self.headers["content-type"]}
            )
            with urllib.request.urlopen(request) as answer:
                self._answer(answer.status, answer.read(), answer.headers["content-type"])

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/offer"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
