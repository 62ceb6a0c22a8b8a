"""A request to the target's own backend around a call, and the failures that are its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from harness.config.target import Target
from harness.config.targets_file import same_origin
from harness.core import json_paths
from harness.core.errors import HarnessError
from harness.signaling.failures import classify, innermost
from harness.signaling.reading import read_body

LONGEST_EXCERPT = 200  # characters of an error's body
LARGEST_BODY = 1 << 20  # bytes


class HookFailedError(HarnessError):
    """What was asked of the target's backend could not be had: the relay is not to blame."""


@dataclass(frozen=True)
class HookRequest:
    """One request. `name`: what its hook is called in messages; `meanwhile`: what its failure means.

    `body` is sent as JSON. `timeout`: seconds for the whole answer.
    """

    name: str
    meanwhile: str
    target: Target
    method: str
    url: str
    timeout: float
    body: Mapping[str, object] | None = None

    @property
    def shown(self) -> str:
        """The request for people: without secrets."""
        return self.target.redactor().text(f"{self.method} {self.url}")

    def failed(self, what: str, remedy: str) -> HookFailedError:
        """An error that names the hook."""
        return HookFailedError(f"{self.name} failed: {what}", f"{self.meanwhile}; {remedy}")

    async def answer(self, client: httpx.AsyncClient) -> Any:
        """The JSON that it answers. Credentials go along to the target's own origin only.

        Raises HookFailedError, without any secret of the target.
        """
        status, text = await self._send(client)
        if not 200 <= status < 300:
            said = self.target.redactor().text(" ".join(text.split()))[:LONGEST_EXCERPT]
            raise self.failed(
                f"{self.shown} answered {status}: {said or 'nothing'}",
                "look at this endpoint and the credentials that it wants",
            )
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise self.failed(
                f"{self.shown} answered something that is not JSON", "look at this endpoint"
            ) from None

    async def _send(self, client: httpx.AsyncClient) -> tuple[int, str]:
        ours = same_origin(self.url, self.target.url)
        headers = [("Accept", "application/json"), *(self.target.request_headers() if ours else [])]
        content = None
        if self.body is not None:
            headers.append(("Content-Type", "application/json"))
            content = json.dumps(self.body).encode()
        try:
            async with asyncio.timeout(self.timeout):
                async with client.stream(self.method, self.url, content=content, headers=headers) as response:
                    body = await read_body(response, LARGEST_BODY)
                    return response.status_code, body.decode("utf-8", "replace")
        except TimeoutError:
            raise self.failed(
                f"{self.shown} did not answer in full within {self.timeout:g} s",
                "look at this endpoint, or give it more time with timeout_s",
            ) from None
        except httpx.HTTPError as error:
            reason = self.target.redactor().text(innermost(error))
            raise self.failed(
                f"{self.shown}: {classify(error)}: {reason}",
                "is the hook's URL right, and does anything listen there?",
            ) from None

    def at(self, answer: Any, path: str, what: str) -> object:
        """The value at a dotted path; a number picks from a list. `what` it is wanted for."""
        try:
            return json_paths.at(answer, path)
        except LookupError:
            raise self.failed(
                f"the answer of {self.shown} has nothing at {path!r} for {what}",
                "compare the path in harness.toml with what the endpoint answers",
            ) from None
