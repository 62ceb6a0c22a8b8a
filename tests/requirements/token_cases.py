"""What provokes each cause about keys that a back end mints."""

from __future__ import annotations

from typing import Any

import msgspec

from harness.core import probes
from harness.core.events import Event, HttpFailed, HttpRequest, HttpResponse, TokenMinted
from tests.requirements.cases import case
from tests.support.timelines import call_started, ending, healthy_events

Events = list[Event]
MARKER = "injected-7f3c91"
GOOD = TokenMinted(
    at=0.006,
    purpose=probes.MINT,
    key="ephemeral",
    place="value",
    digest="a" * 16,
    lifetime_s=60.0,
    session={"type": "realtime", "model": "gpt-realtime-2.1", "instructions": "Answer briefly."},
)


def asked(
    purpose: str = probes.MINT,
    *,
    case_: str = "",
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),),
    **told: Any,
) -> Events:
    """A request for a key, answered, with what was read of the answer."""
    return [
        HttpRequest(at=0.004, method="POST", url="http://127.0.0.1:3000/key", purpose=purpose, case=case_),
        HttpResponse(at=0.005, status=status, headers=headers, body="{}", purpose=purpose),
        msgspec.structs.replace(GOOD, purpose=purpose, **told),
    ]


def minted(*more: Event, **told: Any) -> Events:
    """A healthy call with a key of its own."""
    first, *rest = healthy_events()
    return [first, *asked(**told), *more, *rest]


def without_call(*events: Event) -> Events:
    return [call_started(), *events, *ending(1.0)]


@case("token.minted", "mint-failed")
def nobody_answers_a_request_for_a_key() -> Events:
    request, *_ = asked()
    return without_call(request, HttpFailed(at=3.0, failure="timeout", detail="3 s", purpose=probes.MINT))


@case("token.minted", "mint-refused")
def a_request_for_a_key_is_refused() -> Events:
    return without_call(*asked(status=500, key="none", problem="status 500", session=None, lifetime_s=None))


@case("token.minted", "no-key")
def no_key_at_the_place() -> Events:
    problem = "the answer has nothing at 'value' (it has token)"
    return without_call(*asked(key="none", problem=problem, session=None, lifetime_s=None))


@case("token.minted", "not-a-key")
def undefined_for_a_key() -> Events:
    problem = "what is at 'value' is no key ('undefined')"
    return without_call(*asked(key="none", problem=problem, session=None, lifetime_s=None))


@case("token.ephemeral", "project-key")
def the_project_s_own_key() -> Events:
    return minted(key="project")


@case("token.page-holds-no-key", "page-sends-key")
def the_page_sends_a_key() -> Events:
    return minted(page_sent_key="its header authorization")


@case("token.for-who-may", "minted-for-anyone")
def a_key_for_anyone() -> Events:
    return without_call(*asked(probes.MINT_UNAUTHENTICATED))


@case("token.for-who-may", "minted-for-foreign-pages")
def a_key_for_any_page() -> Events:
    return without_call(*asked(probes.MINT_FOREIGN, headers=(("access-control-allow-origin", "*"),)))


@case("token.expiry", "expired")
def a_key_that_has_expired() -> Events:
    return without_call(*asked(lifetime_s=-60.0))


@case("token.expiry", "long-lived")
def a_key_for_two_hours() -> Events:
    return minted(lifetime_s=7200.0)


@case("token.not-shared", "shared")
def one_key_for_two() -> Events:
    return minted(*asked(probes.MINT_AGAIN))


@case("token.not-shared", "cacheable")
def a_key_in_a_cache() -> Events:
    return minted(headers=(("cache-control", "public, max-age=60"),))


@case("token.session-fixed", "session-missing")
def a_key_without_instructions() -> Events:
    return minted(session={"type": "realtime", "model": "gpt-realtime-2.1", "instructions": ""})


@case("token.session-not-chosen", "session-chosen")
def the_page_s_instructions_in_the_key() -> Events:
    session = {"type": "realtime", "model": "gpt-realtime-2.1", "instructions": MARKER}
    return without_call(*asked(), *asked(probes.MINT_INJECTION, case_=MARKER, session=session))


@case("token.session-not-chosen", "session-chosen")
def the_page_s_model_in_the_key() -> Events:
    session = {"type": "realtime", "model": "gpt-realtime-2.1-mini", "instructions": "Answer briefly."}
    return without_call(*asked(), *asked(probes.MINT_INJECTION, case_=MARKER, session=session))


@case("token.usable", "refused")
def upstream_refuses_the_key() -> Events:
    offer = HttpRequest(at=0.01, method="POST", url="https://api.openai.com/v1/realtime/calls")
    return without_call(*asked(), offer, HttpResponse(at=0.02, status=401, body="{}"))


@case("token.usable", "for-transcription")
def a_key_for_transcription() -> Events:
    session = {"type": "transcription", "audio": {}}
    return minted(session=session)
