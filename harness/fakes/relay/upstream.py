"""The request to OpenAI: one multipart form, one try, one answer or an honest failure."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from harness.fakes.bodies import media_type
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import RelaySettings


@dataclass(frozen=True)
class Form:
    """A multipart body, ready to send."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class UpstreamReply:
    """What upstream answered, whole."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_answer(self) -> bool:
        """Whether it is an SDP answer: by status and by content."""
        return self.status in (200, 201) and self.body.startswith(b"v=0")


def write_form(offer: bytes, session: bytes | None) -> Form:
    """The parts `sdp` and `session`, each with its type, as OpenAI's own SDK sends them."""
    boundary = f"relay-{secrets.token_hex(16)}"
    parts = [("sdp", "application/sdp", offer)]
    if session is not None:
        parts.append(("session", "application/json", session))
    body = b"".join(
        b"--%s\r\n" % boundary.encode()
        + f'Content-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, kind, content in parts
    )
    return Form(f"multipart/form-data; boundary={boundary}", body + b"--%s--\r\n" % boundary.encode())


class UpstreamClient:
    """OpenAI's calls endpoint. Never retries: a second try would be a second call, and a second bill."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self.held: list[UpstreamReply] = []  # calls that end when the relay stops
        self._timed: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.upstream_seconds, connect=settings.connect_seconds),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=2.0),
            headers=settings.authorization,
            trust_env=False,
        )

    async def create_call(self, form: Form, method: str, url: str) -> UpstreamReply:
        """Send the form; raises Refusal where no whole response came in time."""
        return await self._send(form, method, url)

    async def mint(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """An ephemeral key, as upstream answers it. Raises Refusal."""
        body = Form("application/json", json.dumps(asked).encode())
        reply = await self._send(body, "POST", self._settings.keys_url)
        if reply.status != httpx.codes.OK:
            raise failure(reply)
        try:
            return dict(json.loads(reply.body))
        except (ValueError, TypeError, RecursionError) as error:
            raise Refusal(502, "upstream_answer_invalid", "the voice service answered no key") from error

    async def _send(self, form: Form, method: str, url: str) -> UpstreamReply:
        try:
            async with asyncio.timeout(self._settings.upstream_seconds):
                response = await self._client.request(
                    method, url, content=form.body, headers={"Content-Type": form.content_type}
                )
        except (TimeoutError, httpx.TimeoutException) as error:
            raise Refusal(504, "upstream_timeout", "the voice service did not answer in time") from error
        except httpx.HTTPError as error:
            raise Refusal(502, "upstream_unreachable", "the voice service cannot be reached") from error
        return UpstreamReply(response.status_code, response.headers, response.content)

    async def hang_up(self, reply: UpstreamReply, key: str = "") -> None:
        """Release a call that nobody waits for any more; `key` in place of the relay's own."""
        if location := reply.headers.get("location"):
            url = urljoin(self._settings.calls_url, location) + "/hangup"
            with contextlib.suppress(httpx.HTTPError):  # upstream ends unconnected calls by itself, later
                await self._client.post(url, headers={"Authorization": f"Bearer {key}"} if key else None)

    def hang_up_after(self, seconds: float, reply: UpstreamReply, key: str = "") -> None:
        """End the call when its time is up, whatever its caller does; `key` as in `hang_up`."""

        async def end() -> None:
            await asyncio.sleep(seconds)
            await self.hang_up(reply, key)

        timed = asyncio.create_task(end())
        self._timed.add(timed)
        timed.add_done_callback(self._timed.discard)

    async def close(self) -> None:
        for timed in self._timed:
            timed.cancel()
        await asyncio.gather(*self._timed, return_exceptions=True)
        for reply in self.held:
            await self.hang_up(reply)
        await self._client.aclose()


def failure(reply: UpstreamReply) -> Refusal:
    """The honest status for an upstream failure. Upstream's own words stay inside."""
    if reply.status in (401, 403):
        return Refusal(502, "upstream_unauthorized", "the voice service refused the relay's credentials")
    if reply.status == 429:
        retry_after = reply.headers.get("retry-after", "30")
        return Refusal(
            503, "upstream_rate_limited", "the voice service is at its limit", {"Retry-After": retry_after}
        )
    if reply.status == 400 and _error_code(reply) == "invalid_offer":
        return Refusal(400, "upstream_offer_rejected", "the voice service cannot use this offer")
    if 400 <= reply.status < 500:
        return Refusal(502, "upstream_rejected", "the voice service refused the relay's request")
    if reply.status >= 500:
        return Refusal(502, "upstream_failed", "the voice service failed")
    return Refusal(502, "upstream_answer_invalid", "the voice service answered something that is no SDP")


def _error_code(reply: UpstreamReply) -> str | None:
    if media_type(reply.headers.get("content-type")) != "application/json":
        return None
    try:
        code = json.loads(reply.body)["error"]["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return code if isinstance(code, str) else None
