"""Serving the reference page, alone or on the relay's own origin."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_PATH = "/page/"
STATIC = Path(__file__).parent / "static"
# As strict as pages of people who mind: what records a page must not need more.
POLICY = "default-src 'self'; style-src 'unsafe-inline'; img-src data:; connect-src *; object-src 'none'"

# Faults of the page that are in what it is served with.
HEADERS = {"forbids-microphone": {"permissions-policy": "camera=(), microphone=(), geolocation=()"}}


def page_app() -> Starlette:
    """The page at /page/, with its query's faults: those of HEADERS here, the rest by its script."""
    return Starlette(
        routes=[
            Route(f"{PAGE_PATH}key.js", _key),
            Mount(PAGE_PATH.rstrip("/"), app=_with_headers(StaticFiles(directory=STATIC, html=True))),
        ]
    )


def beside(relay: ASGIApp) -> ASGIApp:
    """The relay with the page on its origin: a page that is served with its backend needs no CORS."""
    page = page_app()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_pages = scope["type"] == "http" and scope["path"].startswith(PAGE_PATH)
        await (page if is_pages else relay)(scope, receive, send)

    return serve


def _with_headers(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = POLICY
                for fault in QueryParams(scope.get("query_string", b"")).getlist("fault"):
                    headers.update(HEADERS.get(fault, {}))
            await send(message)

        await app(scope, receive, send_with_headers)

    return serve


async def _key(_request: Request) -> Response:
    """A key where none may be: nobody's, and only looking like one."""
    return Response(f'const apiKey = "sk-proj-{"Aa1Bb2Cc3" * 5}";', media_type="text/javascript")
