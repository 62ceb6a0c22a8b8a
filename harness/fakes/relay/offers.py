"""Taking the offer out of a request, byte for byte, and refusing what can be no offer."""

from __future__ import annotations

import json
from typing import Any

from harness.core.sdp import parse_sdp
from harness.fakes.bodies import MultipartInvalidError, media_type, parse_multipart
from harness.fakes.relay.refusal import Refusal, bad_offer


def read_offer(body: bytes, content_type: str) -> tuple[bytes, dict[str, Any]]:
    """The offer, and whatever else the client sent with it, which is not forwarded. Raises Refusal."""
    kind = media_type(content_type)
    if kind == "application/sdp":
        return body, {}
    if kind == "application/json":
        return _from_json(body)
    if kind == "multipart/form-data":
        return _from_form(body, content_type)
    raise Refusal(
        415, "unsupported_media_type", "send application/sdp, application/json or multipart/form-data"
    )


def check_offer(offer: bytes) -> None:
    """Refuse what upstream could not serve; what it could is not looked at further. Raises Refusal."""
    try:
        description = parse_sdp(offer.decode())
    except UnicodeDecodeError as error:
        raise bad_offer("the offer is not text") from error
    if not description.is_sdp:
        raise bad_offer("the offer is not SDP")
    for kind, what in (("audio", "an audio section"), ("application", "a data channel section")):
        section = description.section(kind)
        if section is None or section.rejected:
            raise bad_offer(f"the offer needs {what}")


def _from_json(body: bytes) -> tuple[bytes, dict[str, Any]]:
    try:
        data = json.loads(body)
        sdp = data["sdp"]
        return sdp.encode(), {name: value for name, value in data.items() if name != "sdp"}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise bad_offer('the body must be JSON with the offer as text in "sdp"') from error


def _from_form(body: bytes, content_type: str) -> tuple[bytes, dict[str, Any]]:
    try:
        parts = parse_multipart(body, content_type)
    except MultipartInvalidError as error:
        raise bad_offer("the body is not the multipart form that it claims to be") from error
    fields = {part.name: part.body for part in parts}
    if "sdp" not in fields:
        raise bad_offer('the form has no part "sdp"')
    offer = fields.pop("sdp")
    return offer, {name: _loaded(value) for name, value in fields.items()}


def _loaded(value: bytes) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value.decode("utf-8", "replace")
