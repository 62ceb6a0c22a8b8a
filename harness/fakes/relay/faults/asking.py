"""Faults in where and as what the relay sends its request: what upstream cannot read, or never meets."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from harness.fakes.relay.hooks import RelayFault, relay_fault
from harness.fakes.relay.upstream import Form

NOWHERE = "http://127.0.0.1:9/v1"  # the port of the discard service, where nobody listens


class PathFault(RelayFault):
    """Acts on the path alone."""

    def request(self, method: str, url: str) -> tuple[str, str]:
        parts = urlsplit(url)
        path, _, query = self.path(parts.path).partition("?")
        return method, urlunsplit(parts._replace(path=path, query=query))

    def path(self, path: str) -> str:
        """The path as it will be asked for."""
        raise NotImplementedError


@relay_fault(
    "retired-endpoint",
    "posts to an endpoint of the retired beta",
    stage="upstream",
    default="/v1/realtime?model=gpt-realtime",
    value_help="its path and query",
)
class RetiredEndpoint(PathFault):
    def path(self, path: str) -> str:
        return str(self.value)


@relay_fault("path-without-v1", "leaves /v1 out of the path", stage="upstream")
class PathWithoutV1(PathFault):
    def path(self, path: str) -> str:
        return path.replace("/v1", "", 1)


@relay_fault("path-doubled", "appends /v1 to a base URL that ends in it", stage="upstream")
class PathDoubled(PathFault):
    def path(self, path: str) -> str:
        return path.replace("/v1", "/v1/v1", 1)


@relay_fault(
    "path-unknown",
    "asks for a path that is not there",
    stage="upstream",
    default="/v1/realtime/call",
    value_help="the path",
)
class PathUnknown(PathFault):
    def path(self, path: str) -> str:
        return str(self.value)


@relay_fault("wrong-method", "does not POST", stage="upstream", default="PUT", value_help="the method")
class WrongMethod(RelayFault):
    def request(self, method: str, url: str) -> tuple[str, str]:
        return str(self.value), url


@relay_fault(
    "upstream-elsewhere",
    "has another upstream than it was told",
    stage="upstream",
    default=NOWHERE,
    value_help="its base URL",
)
class UpstreamElsewhere(RelayFault):
    def request(self, method: str, url: str) -> tuple[str, str]:
        return method, f"{str(self.value).rstrip('/')}/realtime/calls"


@relay_fault("form-as-text", "sends its form without saying that it is one", stage="upstream")
class FormAsText(RelayFault):
    def form(self, form: Form) -> Form:
        return Form("text/plain;charset=UTF-8", form.body)


@relay_fault("form-urlencoded", "sends a URL-encoded form", stage="upstream")
class FormUrlencoded(RelayFault):
    _fields: dict[str, str]

    def offer(self, offer: bytes) -> bytes:
        self._fields = {"sdp": offer.decode()}
        return offer

    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        self._fields["session"] = json.dumps(session)
        return session

    def form(self, form: Form) -> Form:
        return Form("application/x-www-form-urlencoded", urlencode(self._fields).encode())


@relay_fault(
    "form-as-object",
    "sends what its language prints for a form",
    stage="upstream",
    default="[object FormData]",
    value_help="the text",
)
class FormAsObject(RelayFault):
    def form(self, form: Form) -> Form:
        return Form("text/plain;charset=UTF-8", str(self.value).encode())


@relay_fault(
    "offer-as-text",
    "sends something else than the offer in its place, such as [object Object]",
    stage="upstream",
    default="undefined",
    value_help="the text; empty for none",
)
class OfferAsText(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        return str(self.value).encode()


@relay_fault("form-empty", "sends a form without parts", stage="upstream")
class FormEmpty(RelayFault):
    def form(self, form: Form) -> Form:
        boundary = form.content_type.partition("boundary=")[2]
        return Form(form.content_type, f"--{boundary}--\r\n".encode())


@relay_fault("json-forwarded", "sends JSON where the upstream takes SDP or a form", stage="upstream")
class JsonForwarded(RelayFault):
    _offer = b""

    def offer(self, offer: bytes) -> bytes:
        self._offer = offer
        return offer

    def form(self, form: Form) -> Form:
        return Form("application/json", json.dumps({"type": "offer", "sdp": self._offer.decode()}).encode())


@relay_fault("offer-as-plain-text", "sends the bare offer as text/plain", stage="upstream")
class OfferAsPlainText(RelayFault):
    _offer = b""

    def offer(self, offer: bytes) -> bytes:
        self._offer = offer
        return offer

    def form(self, form: Form) -> Form:
        return Form("text/plain", self._offer)


@relay_fault("session-wrapped", "wraps the session in {session: …}", stage="session")
class SessionWrapped(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        return {"session": session}


@relay_fault(
    "voice-unknown",
    "asks for a voice that there is not",
    stage="session",
    default="nova",
    value_help="its name",
)
class VoiceUnknown(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        audio = session.get("audio", {})
        return {**session, "audio": {**audio, "output": {"voice": str(self.value)}}}


@relay_fault("session-refused", "asks for a session that upstream refuses", stage="session")
class SessionRefused(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        return {**session, "output_modalities": ["scent"]}


@relay_fault("answer-of-another", "returns the answer that another caller was given", stage="upstream")
class AnswerOfAnother(RelayFault):
    """As from a cache: the call that it belongs to is made here, under another name."""

    def offer(self, offer: bytes) -> bytes:
        return re.sub(rb"(a=ice-ufrag:)\S+", rb"\1OtherCaller", offer)
