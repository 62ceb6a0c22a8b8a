"""Faults that cost money or secrets."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from harness.fakes.relay.hooks import RelayFault, relay_fault
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.upstream import UpstreamReply

SOMEBODYS_TURN = {
    "iceServers": [
        {
            "urls": ["stun:turn.invalid", "turn:turn.invalid?transport=udp"],
            "username": "1795000000:page",
            "credential": "of-somebody-who-pays",
        }
    ]
}


@relay_fault(
    "key-exposed",
    "shows the upstream key to the caller",
    stage="security",
    default="header",
    value_help="where: header, sdp or error",
)
class KeyExposed(RelayFault):
    async def respond(self, response: Response) -> Response:
        if self.value == "header":
            response.headers["X-Upstream-Authorization"] = f"Bearer {self.settings.api_key}"
        return response

    def answer(self, answer: bytes) -> bytes:
        if self.value == "sdp":
            return answer + f"a=x-upstream-key:{self.settings.api_key}\r\n".encode()
        return answer

    async def refuse(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        if self.value == "error":
            return Refusal(
                refusal.status, refusal.code, f"{refusal.message} (key {self.settings.api_key})"
            ).response()
        return None


@relay_fault("ice-servers-open", "hands TURN credentials to anyone", stage="security")
class IceServersOpen(RelayFault):
    """Acts on the endpoint for ICE servers, which carries no offer."""


@relay_fault("relay-open", "lets anyone in, with or without a token", stage="security")
class RelayOpen(RelayFault):
    admits_anyone = True


@relay_fault(
    "session-injected",
    "forwards the session, model and instructions that the client asks for",
    stage="security",
)
class SessionInjected(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        asked = sent_along.get("session")
        injected = {**session, **asked} if isinstance(asked, dict) else dict(session)
        return injected | {n: sent_along[n] for n in ("model", "instructions") if n in sent_along}
