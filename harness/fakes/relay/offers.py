"""Taking the offer out of a request, byte for byte, and refusing what can be no offer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from harness.core.dialects import JSON, URL_FORM, Dialect
from harness.core.json_paths import at, texts
from harness.core.sdp import parse_sdp
from harness.fakes.bodies import MultipartInvalidError, media_type, parse_multipart
from harness.fakes.relay.refusal import Refusal, bad_offer


def read_offer(
    body: bytes, content_type: str, query: Mapping[str, str], dialects: Sequence[Dialect]
) -> tuple[bytes, dict[str, Any]]:
    """The offer, and whatever else the client sent with it, which is not forwarded. Raises Refusal.

    The dialects have a content type each; what they send beside the offer must be there.
    """
    kind = media_type(content_type)
    dialect = next((d for d in dialects if d.content_type == kind), None)
    if dialect is None:
        raise Refusal(415, "unsupported_media_type", f"send {' or '.join(d.content_type for d in dialects)}")
    missing = next((name for name in dialect.query if name not in query), None)
    if missing is not None:
        raise bad_offer(f'the URL needs the parameter "{missing}"')
    if not dialect.has_fields:
        return body, dict(query)
    offer, beside = _taken_apart(body, content_type, dialect)
    for path, _ in texts(dict(dialect.fields)):
        if not _is_at(beside, path if dialect.content_type == JSON else path.partition(".")[0]):
            raise bad_offer(f'the body needs "{path}"')
    return offer, {**query, **beside}


def _taken_apart(body: bytes, content_type: str, dialect: Dialect) -> tuple[bytes, dict[str, Any]]:
    if dialect.content_type == JSON:
        return _from_json(body, dialect.offer)
    if dialect.content_type == URL_FORM:
        return _offer_of(dict(parse_qsl(body.decode("utf-8", "replace"))), dialect.offer)
    return _from_form(body, content_type, dialect.offer)


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


def _from_json(body: bytes, place: str) -> tuple[bytes, dict[str, Any]]:
    try:
        data = json.loads(body)
        offer = at(data, place)
        return _text(offer).encode(), {n: v for n, v in data.items() if n != place}
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise bad_offer(f'the body must be JSON with the offer as text in "{place}"') from error


def _from_form(body: bytes, content_type: str, place: str) -> tuple[bytes, dict[str, Any]]:
    try:
        parts = parse_multipart(body, content_type)
    except MultipartInvalidError as error:
        raise bad_offer("the body is not the multipart form that it claims to be") from error
    fields = {part.name: part.body for part in parts}
    if place not in fields:
        raise bad_offer(f'the form has no part "{place}"')
    offer = fields.pop(place)
    return offer, {name: _loaded(value) for name, value in fields.items()}


def _offer_of(fields: dict[str, str], place: str) -> tuple[bytes, dict[str, Any]]:
    if place not in fields:
        raise bad_offer(f'the form has no field "{place}"')
    return fields[place].encode(), {name: value for name, value in fields.items() if name != place}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _is_at(fields: Mapping[str, Any], path: str) -> bool:
    try:
        at(fields, path)
    except LookupError:
        return False
    return True


def _loaded(value: bytes) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value.decode("utf-8", "replace")
