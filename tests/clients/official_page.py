"""Serving the official client's page with its key: what a small backend of a user's would do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from typing import Any

import httpx

from tests.clients.clients import FOLDER
from tests.fakes.callers import KEY, SESSION
from tests.support.serving import serving

FILES = {"/": "programs/official.html", "/official.mjs": "programs/official.mjs"}


class _Backend(SimpleHTTPRequestHandler):
    """The page, the package, and POST /token: a minted key, and where to go with it."""

    def __init__(self, *arguments: Any, fake: str) -> None:
        self._fake = fake
        super().__init__(*arguments, directory=str(FOLDER))

    def translate_path(self, path: str) -> str:
        return super().translate_path("/" + FILES.get(path, path.lstrip("/")))

    def do_POST(self) -> None:
        minted = httpx.post(
            f"{self._fake}/v1/realtime/client_secrets",
            headers={"Authorization": f"Bearer {KEY}"},
            json={"session": SESSION},
            trust_env=False,
        )
        told = {
            "value": minted.raise_for_status().json()["value"],
            "baseUrl": f"{self._fake}/v1/realtime/calls",
        }
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the page's requests are on its timeline."""


@contextmanager
def serving_official_page(fake: str) -> Iterator[str]:
    """Its address; `fake` is where the keys are minted and the calls go."""
    with serving(partial(_Backend, fake=fake)) as base:
        yield f"{base}/"
