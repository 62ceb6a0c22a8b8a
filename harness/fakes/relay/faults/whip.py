"""Faults of a WHIP server: what its responses lack or say, and what a session is worth."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from harness.fakes.relay.whip_hooks import Asked, WhipFault, whip_fault

Change = Callable[[Response], Response]


def _status(status: int, body: str = "", **headers: str) -> Change:
    """Another response in place of the honest one."""
    return lambda _honest: Response(body, status, headers=headers)


def _with(name: str, value: str | None, *, status: int = 0) -> Change:
    """The response with another header, or without it; `status` in place of its own."""

    def change(response: Response) -> Response:
        response.status_code = status or response.status_code
        if value is not None:
            response.headers[name] = value
        elif name in response.headers:
            del response.headers[name]
        return response

    return change


# Name → what it does, what it answers so, and how.
ANSWERS: dict[str, tuple[str, Asked, Change]] = {
    "whip-status-200": ("answers 200 where a session was made", "create", _with("x", None, status=200)),
    "whip-location-missing": ("does not say where its session is", "create", _with("Location", None)),
    "whip-location-no-url": (
        "says of its session what its language prints for an object",
        "create",
        _with("Location", "[object Object]"),
    ),
    "whip-location-endpoint": (
        "names the endpoint as its session",
        "create",
        _with("Location", "/api/voice/whip"),
    ),
    "whip-location-elsewhere": (
        "names its session by a host that only it knows",
        "create",
        _with("Location", "http://relay.internal.invalid/sessions/5f1c9b7e2a804d33"),
    ),
    "whip-location-hidden": (
        "lets a page of another origin call, and not read Location",
        "create",
        _with("Access-Control-Expose-Headers", None),
    ),
    "whip-delete-refused": ("takes no DELETE", "delete", _status(405, Allow="PATCH")),
    "whip-gone-accepted": ("answers 200 for sessions that are not", "gone", _status(200)),
    "whip-gone-crash": ("fails on sessions that are not", "gone", _status(500)),
    "whip-bad-post-accepted": ("answers 201 whatever is posted", "bad-post", _status(201)),
    "whip-bad-post-crash": ("fails on what is no offer", "bad-post", _status(500)),
    "whip-bad-patch-accepted": ("answers 204 whatever is patched", "bad-patch", _status(204)),
    "whip-bad-patch-crash": ("fails on what is no fragment", "bad-patch", _status(500)),
    "whip-candidates-200": (
        "answers candidates with a body",
        "candidates",
        _status(200, "ok", ETag='"0"'),
    ),
    "whip-candidates-crash": ("fails on candidates", "candidates", _status(500)),
    "whip-candidates-forbidden": ("forbids candidates", "candidates", _status(403)),
    "whip-unconditional-accepted": ("takes candidates without If-Match", "unconditional", _status(204)),
    "whip-stale-accepted": ("takes candidates for another ICE session", "stale", _status(204)),
    "whip-restart-ignored": ("answers an ICE restart as if it were candidates", "restart", _status(204)),
    "whip-restart-crash": ("fails on an ICE restart", "restart", _status(500)),
    "whip-get-crash": ("fails on GET", "get", _status(500)),
    "whip-get-content": ("answers GET with a text", "get", _status(200, "voice relay")),
    "whip-options-refused": ("answers OPTIONS with 405", "options", _status(405, Allow="POST")),
    "whip-accept-post-missing": ("does not say what it takes", "options", _with("Accept-Post", None)),
    "whip-allow-missing": ("does not say which methods it takes", "other-method", _with("Allow", None)),
    "whip-other-methods": ("answers 200 whatever the method", "other-method", _status(200)),
    "whip-ice-server-unusable": (
        "names a TURN server without saying who may use it",
        "create",
        _with("Link", '<turn:turn.example.net?transport=udp>; rel="ice-server"'),
    ),
}


def _register(name: str, description: str, asked: Asked, change: Change) -> None:
    class Answers(WhipFault):
        def respond(self, what: Asked, response: Response) -> Response:
            return change(response) if what == asked else response

    whip_fault(name, description, stage="http")(Answers)


for _name, (_description, _asked, _change) in ANSWERS.items():
    _register(_name, _description, _asked, _change)


@whip_fault("whip-etag-missing", "gives its sessions no entity-tag", stage="http")
class WhipEtagMissing(WhipFault):
    def tag(self, etag: str) -> str:
        return ""


@whip_fault("whip-etag-weak", "gives its sessions weak entity-tags", stage="http")
class WhipEtagWeak(WhipFault):
    def tag(self, etag: str) -> str:
        return f"W/{etag}"


@whip_fault(
    "whip-delete-ends-nothing", "answers DELETE and leaves the call at the upstream", stage="lifecycle"
)
class WhipDeleteEndsNothing(WhipFault):
    keeps_calls = True


@whip_fault("whip-delete-by-anyone", "lets anyone end a session", stage="security")
class WhipDeleteByAnyone(WhipFault):
    lets_anyone_end = True


@whip_fault("whip-existence-told", "tells anyone which sessions there are", stage="security")
class WhipExistenceTold(WhipFault):
    looks_before_asking = True


@whip_fault("whip-sessions-counted", "names its sessions 1, 2, 3", stage="security")
class WhipSessionsCounted(WhipFault):
    counts_sessions = True


@whip_fault("whip-restart-ends-session", "ends a session whose ICE it cannot restart", stage="lifecycle")
class WhipRestartEndsSession(WhipFault):
    ends_at_restart = True
