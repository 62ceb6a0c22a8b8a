"""Who may steer a fake: programs of this machine or with the token, and no web page that is open there."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from harness.core.loopback import is_loopback

Endpoint = Callable[[Request], Awaitable[Response]]

CHANGING = ("POST", "PUT")
JSON = "application/json"
NO_TOKEN = "the Authorization header must carry the management token as Bearer"  # noqa: S105  (what to do)
TOO_FAR = "management is for this machine only; set a management token to open it"
NO_PAGES = (
    "management is not for web pages, and this request has the Origin or Sec-Fetch-Site of one; "
    "use a program such as curl"
)
AS_JSON = "send Content-Type: application/json, which no web page can send without asking first"


@dataclass(frozen=True)
class Access:
    """Who is let in: who presents the `token`; where none is set, who reaches us over loopback.

    A web page that the user has open can reach loopback too. It is told by what browsers send (Fetch
    standard, section 3.2; Fetch Metadata, section 2.3), and by the name that it calls us by, since a name of
    its own may lead here (DNS rebinding). `hosts`: names beside localhost that we are known by; addresses
    need no naming, and a page does not know the token.
    """

    token: str | None = None
    hosts: tuple[str, ...] = ()

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, for those alone who may."""

        async def checked(request: Request) -> Response:
            if refusal := self.refusal(request):
                return problem(403, refusal)
            if request.method in CHANGING and _media_type(request) != JSON:
                return problem(415, AS_JSON)
            return await endpoint(request)

        return checked

    def refusal(self, request: Request) -> str:
        """Why the request is refused; empty where it is not."""
        if _is_from_a_page_elsewhere(request):
            return NO_PAGES
        if self.token is not None:
            presented = request.headers.get("authorization", "").encode()
            return "" if hmac.compare_digest(presented, f"Bearer {self.token}".encode()) else NO_TOKEN
        if not _over_loopback(request):
            return TOO_FAR
        host = _host(request.headers.get("host", ""))
        if host in self.hosts or host == "localhost" or _is_address(host):
            return ""
        return (
            f"management is not known by the name {host!r}; use localhost or 127.0.0.1, or start it with "
            "--allow-host NAME"
        )


def problem(status: int, message: str) -> Response:
    """A refusal by the management, not by what is faked."""
    return JSONResponse({"problem": message}, status)


def _is_from_a_page_elsewhere(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host', '')}":
        return True
    return request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


def _over_loopback(request: Request) -> bool:
    """Both ends of the connection, so that a port forwarded from elsewhere to a public bind stays shut."""
    server = request.scope.get("server") or ("", None)
    client = request.scope.get("client") or ("", None)
    return is_loopback(client[0]) and is_loopback(server[0])


def _host(header: str) -> str:
    """A Host header's name or address, lower-case and without its port; empty where it is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
