"""One offer to the relay, one answer back, every byte on the timeline. No retry, no redirect followed."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable

import httpx

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.clock import Clock
from harness.core.events import AnswerReceived, Event, HttpFailed, HttpRequest, HttpResponse
from harness.core.probes import OFFER
from harness.core.redaction import Redactor
from harness.signaling.dialects import dialect_named

USER_AGENT = "voice-relay-harness"
LARGEST_BODY = 1 << 20  # bytes of a response that are read: an answer has a few thousand


def new_client(target: Target, timeouts: Timeouts) -> httpx.AsyncClient:
    """A client for all calls to the target. Proxies of the environment are used, but not for loopback."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(timeouts.answer, connect=timeouts.connect),
        follow_redirects=False,  # a redirect to a login page is a finding, not a way to the answer
        trust_env=not target.on_loopback,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        headers={"User-Agent": USER_AGENT},
    )


async def exchange_offer(
    client: httpx.AsyncClient,
    target: Target,
    offer: str,
    *,
    timeouts: Timeouts,
    record: Callable[[Event], None],
    clock: Clock,
    redactor: Redactor,
) -> str | None:
    """Post the offer in the target's dialect; the answer's SDP, or None where there is none to be had.

    A 2xx body is taken as the answer whatever it holds: what is wrong with it is judged later.
    """
    dialect = dialect_named(target.dialect)
    body = dialect.wrap(offer, target.fields)
    headers = [("Content-Type", body.content_type), ("Accept", dialect.accept), *_target_headers(target)]
    request = client.build_request("POST", target.url, content=body.content, headers=headers)
    response = await send(
        client, request, purpose=OFFER, timeouts=timeouts, record=record, clock=clock, redactor=redactor
    )
    if response is None or not 200 <= response.status_code < 300:
        return None
    answer = dialect.unwrap(response.content.decode("utf-8", "replace"))
    record(AnswerReceived(at=clock.now(), sdp=redactor.text(answer)))
    return answer


async def send(
    client: httpx.AsyncClient,
    request: httpx.Request,
    *,
    purpose: str,
    timeouts: Timeouts,
    record: Callable[[Event], None],
    clock: Clock,
    redactor: Redactor,
    case: str = "",
) -> httpx.Response | None:
    """Send one request and record both ways; None where no whole response came in time."""
    text, is_base64 = _text(request.content)
    record(
        HttpRequest(
            at=clock.now(),
            method=request.method,
            url=redactor.text(str(request.url)),
            headers=redactor.headers(request.headers.multi_items()),
            body=redactor.text(text),
            body_base64=is_base64,
            purpose=purpose,
            case=case,
        )
    )
    try:
        async with asyncio.timeout(timeouts.answer):
            response = await client.send(request)
    except (httpx.HTTPError, TimeoutError) as error:
        failure = classify(error)
        record(
            HttpFailed(
                at=clock.now(),
                failure=failure,
                detail=redactor.text(_detail(error, timeouts)),
                purpose=purpose,
            )
        )
        return None
    text, is_base64 = _text(response.content[:LARGEST_BODY])
    record(
        HttpResponse(
            at=clock.now(),
            status=response.status_code,
            headers=redactor.headers(response.headers.multi_items()),
            body=redactor.text(text),
            body_base64=is_base64,
            purpose=purpose,
        )
    )
    return response


def classify(error: BaseException) -> str:
    """refused, unresolved, timeout, dropped, tls or protocol."""
    chain = list(_causes(error))
    if any(isinstance(e, TimeoutError | httpx.TimeoutException) for e in chain):
        return "timeout"
    if any(isinstance(e, socket.gaierror) for e in chain):
        return "unresolved"
    if any(isinstance(e, ssl.SSLError) for e in chain):
        return "tls"
    if isinstance(error, httpx.ConnectError):
        return "unresolved" if "Name or service" in str(error) else "refused"
    if isinstance(error, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError | httpx.CloseError):
        return "dropped"
    return "protocol"


def _detail(error: BaseException, timeouts: Timeouts) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {timeouts.connect:g} s"
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no whole response within {timeouts.answer:g} s"
    return str(error) or type(error).__name__


def _causes(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _target_headers(target: Target) -> list[tuple[str, str]]:
    headers = [(name, value.get_secret_value()) for name, value in target.headers]
    if target.origin:
        headers.append(("Origin", target.origin))
    if target.bearer is not None:
        headers.append(("Authorization", f"Bearer {target.bearer.get_secret_value()}"))
    if target.cookies:
        pairs = "; ".join(f"{name}={value.get_secret_value()}" for name, value in target.cookies)
        headers.append(("Cookie", pairs))
    return headers


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
