"""Serving the reference page, alone or on the relay's own origin."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

PAGE_PATH = "/page/"
STATIC = Path(__file__).parent / "static"
# As strict as pages of people who mind: what records a page must not need more.
POLICY = "default-src 'self'; style-src 'unsafe-inline'; img-src data:; connect-src *; object-src 'none'"


def page_app() -> Starlette:
    """The page at /page/; its faults are in its query (`harness.fakes.page.faults`)."""
    return Starlette(
        routes=[
            Route(f"{PAGE_PATH}key.js", _key),
            Mount(PAGE_PATH.rstrip("/"), app=_with_policy(StaticFiles(directory=STATIC, html=True))),
        ]
    )


def beside(relay: ASGIApp) -> ASGIApp:
    """The relay with the page on its origin: a page that is served with its backend needs no CORS."""
    page = page_app()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_pages = scope["type"] == "http" and scope["path"].startswith(PAGE_PATH)
        await (page if is_pages else relay)(scope, receive, send)

    return serve


def _with_policy(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"content-security-policy", POLICY.encode())]  # type: ignore[misc]  # as ASGI has them
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, send_with_policy)  # type: ignore[arg-type]  # as above

    return serve


async def _key(_request: Request) -> Response:
    """A key where none may be: nobody's, and only looking like one."""
    return Response(f'const apiKey = "sk-proj-{"Aa1Bb2Cc3" * 5}";', media_type="text/javascript")
