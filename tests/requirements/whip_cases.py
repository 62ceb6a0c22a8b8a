"""What provokes each cause about a WHIP session."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from harness.core import probes
from harness.core.events import AnswerReceived, CallEnded, Event, HttpRequest, HttpResponse, WhipSession
from tests.requirements.cases import case
from tests.support.editing import a, changed
from tests.support.timelines import healthy_events

Events = list[Event]
Headers = tuple[tuple[str, str], ...]

ENDPOINT = "http://127.0.0.1:3000/api/voice/whip"
SESSION = f"{ENDPOINT}/Zb0n3oXcS1mPp2vQhJ5rT9uW"
CREATED: Headers = (("content-type", "application/sdp"), ("location", SESSION), ("etag", '"1f3a"'))
GOOD = WhipSession(at=0.16, location=SESSION, etag='"1f3a"')
# What a good server answers, in the order of asking: purpose, case, method, status, headers.
ASKED: list[tuple[str, str, str, int, Headers]] = [
    (probes.WHIP_ENDPOINT, "options", "OPTIONS", 200, (("accept-post", "application/sdp"),)),
    (probes.WHIP_ENDPOINT, "get", "GET", 204, ()),
    (probes.WHIP_ENDPOINT, "other-method", "PUT", 405, (("allow", "POST"),)),
    (probes.WHIP_ENDPOINT, "malformed", "POST", 400, ()),
    (probes.WHIP_ENDPOINT, "wrong-type", "POST", 415, ()),
    (probes.WHIP_SESSION, "get", "GET", 204, ()),
    (probes.WHIP_SESSION, "wrong-type", "PATCH", 415, ()),
    (probes.WHIP_SESSION, "malformed", "PATCH", 400, ()),
    (probes.WHIP_SESSION, "candidates", "PATCH", 204, ()),
    (probes.WHIP_SESSION, "unconditional", "PATCH", 428, ()),
    (probes.WHIP_SESSION, "stale", "PATCH", 412, ()),
    (probes.WHIP_SESSION, "restart", "PATCH", 422, ()),
    (probes.WHIP_STRANGER, "unknown", "DELETE", 401, ()),
    (probes.WHIP_STRANGER, "live", "DELETE", 401, ()),
    (probes.WHIP_END, "held", "DELETE", 200, ()),
    (probes.WHIP_END, "over", "DELETE", 404, ()),
    (probes.WHIP_END, "unknown", "DELETE", 404, ()),
]


def whip(
    *,
    status: int = 201,
    headers: Headers = CREATED,
    session: WhipSession = GOOD,
    answers: dict[tuple[str, str], tuple[int, Headers, str]] | None = None,
    asked: Callable[[str, str], bool] = lambda _purpose, _case: True,
) -> Events:
    """A call with a session that was asked everything; `answers` differ, only what is `asked` was."""
    events = changed(healthy_events(), a(HttpResponse, side="caller"), status=status, headers=headers)
    at = next(n for n, e in enumerate(events) if isinstance(e, AnswerReceived)) + 1
    requests: Events = []
    for number, (purpose, name, method, usual, sent) in enumerate(ASKED):
        if not asked(purpose, name):
            continue
        # DELETE comes when the caller hangs up.
        now = (8.0 if purpose == probes.WHIP_END else 7.0) + number / 10_000
        got, with_, body = (answers or {}).get((purpose, name), (usual, sent, ""))
        url = ENDPOINT if purpose == probes.WHIP_ENDPOINT else SESSION
        requests += [
            HttpRequest(at=now, method=method, url=url, purpose=purpose, case=name),
            HttpResponse(at=now + 0.00001, status=got, headers=with_, body=body, purpose=purpose),
        ]
    made = [*events[:at], session, *events[at:]]
    end = next(n for n, e in enumerate(made) if e.at >= 8.0)
    return [*made[:end], *requests, *made[end:]]


def answered(
    purpose: str, name: str, status: int, headers: Headers = (), body: str = ""
) -> dict[tuple[str, str], tuple[int, Headers, str]]:
    return {(purpose, name): (status, headers, body)}


def otherwise(location: str, problem: str) -> Events:
    """Of such a session nothing is asked."""
    session = msgspec.convert(
        {**msgspec.structs.asdict(GOOD), "location": location, "problem": problem}, WhipSession
    )
    return whip(session=session, asked=lambda purpose, _: purpose == probes.WHIP_ENDPOINT)


@case("signaling.answer-media-type", "wrong-media-type")
def a_text_where_whip_has_sdp() -> Events:
    return whip(headers=(("content-type", "text/plain"), *CREATED[1:]))


@case("whip.created", "not-201")
def ok_for_created() -> Events:
    return whip(status=200)


@case("whip.session-location", "location-missing")
def no_location() -> Events:
    return otherwise("", "missing")


@case("whip.session-location", "location-not-a-url")
def an_object_for_a_location() -> Events:
    return otherwise("[object Object]", "not-a-url")


@case("whip.session-location", "location-is-endpoint")
def the_endpoint_for_a_session() -> Events:
    return otherwise(ENDPOINT, "endpoint")


@case("whip.session-location", "location-elsewhere")
def a_session_at_another_host() -> Events:
    return otherwise("http://relay.internal/5f1c9b7e2a804d33", "elsewhere")


@case("whip.session-location", "location-not-exposed")
def a_location_that_no_page_can_read() -> Events:
    events = whip(headers=(*CREATED, ("access-control-allow-origin", "*")))
    origin = (("content-type", "application/sdp"), ("origin", "https://app.example"))
    return changed(events, a(HttpRequest, side="caller", purpose=probes.OFFER), headers=origin)


@case("whip.ice-servers", "ice-server-unusable")
def a_turn_server_without_a_user() -> Events:
    return whip(headers=(*CREATED, ("link", '<turn:turn.example.net>; rel="ice-server"')))


@case("whip.ice-servers", "ice-server-unusable")
def an_ice_server_by_http() -> Events:
    return whip(headers=(*CREATED, ("link", '<https://turn.example.net>; rel="ice-server"')))


@case("whip.bad-post-refused", "bad-post-accepted")
def a_text_is_posted_and_taken() -> Events:
    return whip(answers=answered(probes.WHIP_ENDPOINT, "wrong-type", 201))


@case("whip.bad-post-refused", "bad-post-crash")
def a_text_is_posted_and_fails() -> Events:
    return whip(answers=answered(probes.WHIP_ENDPOINT, "malformed", 500))


@case("whip.options", "options-refused")
def no_options() -> Events:
    return whip(answers=answered(probes.WHIP_ENDPOINT, "options", 405))


@case("whip.options", "accept-post-missing")
def options_that_say_nothing() -> Events:
    return whip(answers=answered(probes.WHIP_ENDPOINT, "options", 204))


@case("whip.get", "get-crash")
def get_breaks_at_the_endpoint() -> Events:
    return whip(answers=answered(probes.WHIP_ENDPOINT, "get", 500))


@case("whip.get", "get-crash")
def get_breaks_at_the_session() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "get", 502))


@case("whip.get", "get-has-content")
def a_page_for_people() -> Events:
    return whip(answers=answered(probes.WHIP_ENDPOINT, "get", 200, (), "<html>"))


@case("whip.other-methods", "method-not-refused")
def put_is_taken() -> Events:
    return whip(answers=answered(probes.WHIP_ENDPOINT, "other-method", 200))


@case("whip.other-methods", "allow-missing")
def put_is_refused_without_allow() -> Events:
    return whip(answers=answered(probes.WHIP_ENDPOINT, "other-method", 405))


@case("whip.bad-patch-refused", "bad-patch-accepted")
def a_text_is_patched_and_taken() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "malformed", 204))


@case("whip.bad-patch-refused", "bad-patch-crash")
def a_text_is_patched_and_fails() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "wrong-type", 500))


@case("whip.candidates", "candidates-answered-otherwise")
def candidates_with_a_tag() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "candidates", 204, (("etag", '"2"'),)))


@case("whip.candidates", "candidates-crash")
def candidates_fail() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "candidates", 500))


@case("whip.candidates", "candidates-refused-otherwise")
def candidates_are_not_found() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "candidates", 404))


@case("whip.preconditions", "etag-missing")
def no_tag() -> Events:
    return whip(session=msgspec.structs.replace(GOOD, etag=""))


@case("whip.preconditions", "etag-missing")
def no_tag_and_yet_restarts() -> Events:
    fragment = "a=ice-ufrag:new\r\na=ice-pwd:newnewnewnewnewnewnewnew\r\n"
    headers = (("content-type", "application/trickle-ice-sdpfrag"), ("etag", '"2"'))
    restart = answered(probes.WHIP_SESSION, "restart", 200, headers, fragment)
    return whip(session=msgspec.structs.replace(GOOD, etag=""), answers=restart)


@case("whip.preconditions", "etag-weak")
def a_weak_tag() -> Events:
    return whip(session=msgspec.structs.replace(GOOD, etag='W/"1f3a"'))


@case("whip.preconditions", "etag-weak")
def a_bare_word_for_a_tag() -> Events:
    return whip(session=msgspec.structs.replace(GOOD, etag="1f3a"))


@case("whip.preconditions", "unconditional-patch-accepted")
def candidates_without_a_tag() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "unconditional", 204))


@case("whip.preconditions", "stale-patch-accepted")
def candidates_with_another_tag() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "stale", 204))


@case("whip.ice-restart", "restart-answer-incomplete")
def a_restart_taken_for_candidates() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "restart", 204))


@case("whip.ice-restart", "restart-crash")
def a_restart_fails() -> Events:
    return whip(answers=answered(probes.WHIP_SESSION, "restart", 500))


@case("whip.ice-restart", "restart-ends-session")
def a_restart_ends_the_session() -> Events:
    return whip(answers=answered(probes.WHIP_END, "held", 404))


@case("whip.session-guarded", "ended-by-anyone")
def anyone_ends_the_first() -> Events:
    session = msgspec.structs.replace(GOOD, location=f"{ENDPOINT}/1", guessable=True)
    return whip(session=session, answers=answered(probes.WHIP_STRANGER, "live", 200))


@case("whip.session-guarded", "ended-by-url-alone")
def who_has_the_url_ends_it() -> Events:
    return whip(answers=answered(probes.WHIP_STRANGER, "live", 200))


@case("whip.session-guarded", "existence-told")
def strangers_are_told() -> Events:
    return whip(answers=answered(probes.WHIP_STRANGER, "unknown", 404))


@case("whip.session-guarded", "session-guessable")
def sessions_are_counted() -> Events:
    return whip(session=msgspec.structs.replace(GOOD, location=f"{ENDPOINT}/1", guessable=True))


@case("whip.delete-ends-call", "delete-refused")
def delete_is_refused() -> Events:
    return whip(answers=answered(probes.WHIP_END, "held", 405))


@case("whip.delete-ends-call", "delete-ends-nothing")
def delete_ends_nothing() -> Events:
    late = [msgspec.structs.replace(e, at=30.0) if _is_end(e) else e for e in whip()]
    return sorted(late, key=lambda e: e.at)


def _is_end(event: Event) -> bool:
    return isinstance(event, CallEnded) and event.side == "upstream"


@case("whip.ended-session", "gone-session-accepted")
def a_session_that_never_was_is_ended() -> Events:
    return whip(answers=answered(probes.WHIP_END, "unknown", 200))


@case("whip.ended-session", "gone-session-crash")
def a_session_that_is_over_fails() -> Events:
    return whip(answers=answered(probes.WHIP_END, "over", 500))
