"""What is tried after a refusal: what it says comes first."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from harness.core.dialects import ANYWHERE, DIALECTS, FORM, OWN, SDP, Dialect
from harness.signaling.dialects import wrap
from harness.signaling.searching import MOST_TRIES, DialectSearch, lines_to_paste, settled
from harness.signaling.wanted import Wanted, types_in, wanted_in
from tests.signaling.conftest import ANSWER, OFFER


def missing(*loc: str) -> dict[str, Any]:
    return {"type": "missing", "loc": list(loc), "msg": "Field required", "input": {"sdp": "v=0"}}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        # FastAPI, zod, Fastify (ajv), joi; then what people write.
        ({"detail": [missing("body", "sdpOffer"), missing("query", "model")]}, ["sdpOffer", "?model"]),
        ({"detail": [missing("body", "rtc", "sdp")]}, ["rtc.sdp"]),
        ({"issues": [{"code": "invalid_type", "path": ["localDesc"], "message": "Required"}]}, ["localDesc"]),
        ({"statusCode": 400, "message": "body must have required property 'offerSdp'"}, ["offerSdp"]),
        ({"message": "querystring must have required property 'voice'"}, ["?voice"]),
        ({"error": '"client_offer" is required'}, ["client_offer"]),
        ({"error": "Missing sdp_offer in request body"}, ["sdp_offer"]),
        ({"error": "offer is required"}, ["offer"]),
        ("Falta el campo `oferta`", ["oferta"]),
        ("no session description", ["session", "description"]),
        ("<html>Bad Request</html>", []),
        ("", []),
        ("[" * 5000, []),
    ],
)  # fmt: skip
def test_a_refusal_is_read_for_what_it_misses(body: object, wanted: list[str]) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    found = [f"?{w.path}" if w.place == "query" else w.path for w in wanted_in(text)]
    assert found[: len(wanted)] == wanted
    assert bool(found) == bool(wanted)


def test_a_refusal_is_read_for_content_types() -> None:
    assert types_in("Unsupported: use multipart/form-data or application/sdp") == [SDP, FORM]
    assert types_in("request.formData() failed") == [FORM]
    assert Wanted("a.b.c").name == "c"


Relay = Callable[[Dialect], tuple[int, str]]


def tries_until_taken(answer: Relay, allow: str = "", **options: Any) -> tuple[Dialect | None, int]:
    """What a relay takes, that sees the dialect and says a status and a body; and how many it was asked."""
    search = DialectSearch(**options)
    asked = 0
    while (dialect := search.next()) is not None:
        asked += 1
        status, body = answer(dialect)
        if (other := search.method_after(dialect, status, allow)) is not None:
            asked += 1
            dialect = other
            status, body = answer(dialect)
        if status < 300:
            return settled(dialect, body), asked
        search.refused(dialect, body)
    return None, asked


def reads(
    place: str, *, says: str = "", method: str = "POST", kind: str = "application/json", answer: str = "sdp",
    session: str = "", query: str = "",
) -> Relay:  # fmt: skip
    """A relay of a shape, and how it refuses: `says` has `{}` for what is missing."""

    def relay(dialect: Dialect) -> tuple[int, str]:
        if dialect.method != method:
            return 404, f"Cannot {dialect.method} /x"
        if dialect.content_type != kind:
            return 400, says.format(place)
        if place != dialect.offer:
            return 400, says.format(place)
        if session and session not in dialect.fields:
            return 400, says.format(session)
        if query and query not in dialect.query:
            return 400, says.format(query)
        return 200, json.dumps({answer: ANSWER}) if answer else ANSWER

    return relay


def pydantic_model(dialect: Dialect) -> tuple[int, str]:
    """FastAPI with a model that forbids more, a description inside, and what we sent quoted at length."""
    sent = json.loads(wrap(dialect, OFFER * 20).content) if dialect.content_type == "application/json" else {}
    wrong: list[dict[str, Any]] = [
        {"type": "missing", "loc": ["body", name], "msg": "Field required", "input": sent}
        for name in ("peer_description", "session_config")
        if name not in sent
    ]
    if isinstance(sent.get("peer_description"), str):
        wrong.append({"type": "model_attributes_type", "loc": ["body", "peer_description"], "input": sent})
    wrong += [
        {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
        for name in sent.keys() - {"peer_description", "session_config"}
    ]
    return (422, json.dumps({"detail": wrong})) if wrong else (200, json.dumps({"data": {"sdp": ANSWER}}))


@pytest.mark.parametrize(
    ("relay", "most"),
    [
        (reads("sdp"), 1),
        (reads("offer"), 8),
        (reads("sdpOffer", says='{{"error": "{} is required"}}', answer="answerSdp"), 2),
        (reads("sdp_offer", answer="answer_sdp"), 10),
        (reads("offer.sdp", answer="answer"), 8),
        (reads("sdp", method="PUT", answer="sdpResponse"), 2),
        (reads("sdpOffer", method="PUT", says="no '{}' here", answer="x"), 3),
        (reads("", kind=SDP, answer=""), 4),
        (reads("", kind="text/plain", answer=""), 12),
        (reads("offer", kind=FORM, answer=""), 20),
        (reads("sdp", kind=FORM, session="session"), 12),
        (reads("sdp", kind="application/x-www-form-urlencoded"), 20),
        (reads("", kind=SDP, query="model", answer=""), 14),
        (reads("sdp", session="session", says="session is required"), 3),
        (reads("sdp", session="voice"), MOST_TRIES),
        (reads("myOwnThing", says='{{"detail": [{{"loc": ["body", "{}"], "msg": "Field required"}}]}}'), 3),
        (reads("myOwn.sdp", says='{{"detail": [{{"loc": ["body", "myOwn"], "type": "missing"}}]}}'), 4),
        (reads("localDescription.sdp"), MOST_TRIES),
        (reads("jsep"), MOST_TRIES),
        (reads("transport.sdp"), MOST_TRIES),
        (pydantic_model, 4),
        (reads("offerSdp", kind=FORM, says="multipart/form-data with '{}' required"), 6),
    ],
)  # fmt: skip
def test_the_shapes_of_the_field_are_found(relay: Relay, most: int) -> None:
    found, asked = tries_until_taken(relay)
    assert found is not None
    assert asked <= most


def test_where_nothing_fits_the_search_ends() -> None:
    found, asked = tries_until_taken(lambda _: (400, '{"error": "no"}'))
    assert found is None
    assert asked <= MOST_TRIES
    found, asked = tries_until_taken(lambda d: (400, json.dumps({"error": f"field_{d.offer}_x is required"})))
    assert found is None
    assert asked <= MOST_TRIES + 1


def test_the_method_is_what_allow_says_and_asked_about_once() -> None:
    search = DialectSearch()
    dialect = search.next()
    assert dialect is not None
    assert search.method_after(dialect, 400, "PUT") is None
    assert search.method_after(dialect, 405, "GET, HEAD") is None  # no way to send an offer
    other = search.method_after(dialect, 405, "PATCH, OPTIONS")
    assert other is not None
    assert other.method == "PATCH"
    assert search.method_after(other, 405, "PUT") is None
    express = DialectSearch().method_after(dialect, 404, "")
    assert express is not None
    assert express.method == "PUT"


def test_extra_fields_leave_out_what_has_no_room_for_them() -> None:
    search = DialectSearch(only_with_fields=True)
    tried = [dialect for dialect in iter(search.next, None) if dialect is not None]
    assert all(dialect.has_fields for dialect in tried)


def test_what_was_found_is_a_row_where_there_is_one() -> None:
    asked = Dialect(OWN, offer="sdpOffer", answer=ANYWHERE)
    assert settled(asked, json.dumps({"sdpAnswer": ANSWER})) == DIALECTS["sdp-offer"]
    own = settled(asked, json.dumps({"data": {"answerSdp": ANSWER}}))
    assert (own.name, own.offer, own.answer) == (OWN, "sdpOffer", "data.answerSdp")
    assert settled(Dialect("json", answer=ANYWHERE), ANSWER) == DIALECTS["json"]
    assert settled(DIALECTS["sdp"], "whatever") == DIALECTS["sdp"]


@pytest.mark.parametrize(
    "dialect",
    [
        *DIALECTS.values(),
        Dialect(OWN, method="PUT", offer="a.b", fields={"session": {}, "x y": [1, "é\n"]}, answer="."),
        Dialect(OWN, content_type=SDP, offer="", query={"model": "m"}, headers={"X-A": "b"}, statuses=(201,)),
    ],
    ids=str,
)  # fmt: skip
def test_the_lines_to_paste_are_the_dialect(dialect: Dialect) -> None:
    said = tomllib.loads("\n".join(lines_to_paste(dialect)))["dialect"]
    if isinstance(said, str):
        assert DIALECTS[said] == dialect
        return
    if said.get("content_type") == SDP:
        said.setdefault("offer", "")
    pasted = Dialect(OWN, **said | {"statuses": tuple(said.get("statuses", ()))})
    assert wrap(pasted, OFFER) == wrap(dialect, OFFER)
    assert (pasted.answer, pasted.statuses, pasted.query) == (dialect.answer, dialect.statuses, dialect.query)
