"""What the relay sent upstream, held against what the caller gave it: needs both ends."""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.core.clock import Date
from harness.core.events import HttpRequest, OfferCreated, RequestArrived, TokenMinted
from harness.core.fields import field
from harness.core.models import day_of, shut_down_of
from harness.core.sdp import SessionDescription, parse_sdp
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.arrivals import evidence, offers_arrived, size_of_offer, start_of_offer
from harness.requirements.conditions import FORWARDED, NO_GATEWAY, OFFERED, started
from harness.requirements.exchanges import (
    as_json,
    excerpt,
    forwarded_offer,
    forwarded_session,
    header,
    media_type,
    upstream_offers,
)
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.signaling.mangled import what_was_made_of_it

RECOGNISED = 100  # characters of an offer: its o= line has a number that no other has
CALLS_REFERENCE = "https://platform.openai.com/docs/api-reference/realtime/create-call"

# Where each field of the retired beta went (OpenAI: beta to GA migration guide).
BETA_FIELDS = {
    "modalities": "output_modalities",
    "turn_detection": "audio.input.turn_detection",
    "input_audio_format": "audio.input.format",
    "input_audio_transcription": "audio.input.transcription",
    "input_audio_noise_reduction": "audio.input.noise_reduction",
    "output_audio_format": "audio.output.format",
    "voice": "audio.output.voice",
    "speed": "audio.output.speed",
    "max_response_output_tokens": "max_output_tokens",
    "temperature": "(gone; leave it out)",
}


@requirement(
    "signaling.offer-forwarded-intact",
    "The offer reaches the upstream byte for byte",
    stage=CallStage.ARRIVAL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "OpenAI API reference, create call; RFC 8866, section 9",
        "The form's sdp is the offer of the browser; in it every line ends in CRLF, the last one too.",
        CALLS_REFERENCE,
    ),
    needs=("signaling.offer-reaches-upstream",),
    when=(
        NO_GATEWAY,
        OFFERED,
        Condition(FORWARDED.text, lambda t: None if _without_its_name(t) else FORWARDED.unmet(t)),
    ),
    causes={
        "offer-trimmed": Cause(
            "the relay trimmed the offer",
            "forward the offer byte for byte: remove .trim()/.strip() and do not rebuild it from lines; "
            "the final CRLF belongs to the last line, and OpenAI answers 400 `failed to unmarshal SDP: "
            "EOF` without it",
        ),
        "offer-line-endings": Cause(
            "the relay changed the offer's line endings",
            "forward the offer as bytes: SDP lines end in CRLF; look for text-mode reads, splitlines()/join "
            "and template literals that normalise to LF",
        ),
        "offer-truncated": Cause(
            "only the beginning of the offer reached the upstream",
            "look for a limit on the length of a body or a field (a body parser's, a buffer's, a database "
            "column's), and let Content-Length count bytes, not characters",
        ),
        "data-section-stripped": Cause(
            "the relay dropped the offer's data section (m=application)",
            "forward the offer byte for byte; do not filter media sections: without m=application there is "
            "no channel for events",
        ),
        "candidates-stripped": Cause(
            "the relay dropped the offer's ICE candidates",
            "forward the offer byte for byte; do not filter a=candidate lines",
        ),
        "offer-mutated": Cause(
            "the relay changed the offer",
            "forward the offer byte for byte; remove whatever parses and rewrites SDP on the way (munging, "
            "charset conversion, JSON double-encoding, HTML escaping)",
        ),
    },
)
def offer_forwarded_intact(timeline: Timeline) -> Finding:
    """The SDP in the relay's request is the caller's offer, byte for byte."""
    created = timeline.first(OfferCreated)
    if created is not None and (cut := _without_its_name(timeline)) is not None:
        seen = f"{size_of_offer(cut)} of {len(created.sdp)} bytes, and not so far as its a=ice-ufrag"
        return Violation("offer-truncated", seen, (evidence(cut),))
    request = upstream_offers(timeline)[0].request
    received = forwarded_offer(request)
    if created is None or (received is None and multipart_problem(request)):
        return NotApplicable("the relay's request could not be read; see signaling.session-forwarded")
    return _difference(created, request, received or "")


def _without_its_name(timeline: Timeline) -> RequestArrived | None:
    """What arrived of the offer, where it is so short that the fake could not tell whose it is."""
    created = timeline.first(OfferCreated)
    if created is None or upstream_offers(timeline):
        return None
    for arrival in offers_arrived(timeline):
        start = start_of_offer(arrival)[:RECOGNISED]
        if not arrival.ufrag and start.startswith("v=0") and created.sdp.startswith(start):
            return arrival if size_of_offer(arrival) < len(created.sdp.strip()) else None
    return None


def _difference(created: OfferCreated, request: HttpRequest, received: str) -> Violation | None:
    given = created.sdp
    if received == given:
        return None
    sent, got = parse_sdp(given), parse_sdp(received)
    cause, seen = _named_difference(sent, got)
    seen += f" (the offer was written as {created.shape} writes it)" if created.shape else ""
    return Violation(
        cause,
        seen,
        (
            Evidence(created.at, f"the offer had {len(given)} characters, ending {given[-12:]!r}"),
            Evidence(request.at, f"the relay sent {len(received)} characters, ending {received[-12:]!r}"),
        ),
    )


def _named_difference(sent: SessionDescription, got: SessionDescription) -> tuple[str, str]:
    if sent.text.strip() == got.text.strip():
        fewer = len(sent.text) - len(got.text)
        if fewer <= 0:
            return "offer-mutated", f"{-fewer} characters of white space were added at its ends"
        return "offer-trimmed", f"{fewer} characters are missing at its ends"
    if got.text and sent.text.startswith(got.text) and not sent.text[len(got.text) :].startswith("m="):
        return "offer-truncated", (
            f"{len(got.text)} of {len(sent.text)} characters, the last {excerpt(got.text[-24:])}"
        )
    if sent.text.replace("+", " ") == got.text:
        return (
            "offer-mutated",
            "each + is a space now: it was decoded as a form's field, and was encoded as none",
        )
    if (made := what_was_made_of_it(got.text)) and not got.is_sdp:
        return "offer-mutated", f"it begins {excerpt(got.text, 60)}; {made}"
    if _lines(sent) == _lines(got):
        return "offer-line-endings", f"{_line_ends(sent)} in the offer, {_line_ends(got)} upstream"
    if got.is_sdp and sent.section("application") is not None and got.section("application") is None:
        return "data-section-stripped", (
            f"the offer had {_kinds(sent)}, the relay sent {_kinds(got)}: `application` is gone"
        )
    lost = [line for line in _lines(sent) if line not in set(_lines(got))]
    if lost and all(line.startswith(("a=candidate", "a=end-of-candidates")) for line in lost):
        return "candidates-stripped", f"{len(lost)} candidate lines are gone, the first {excerpt(lost[0])}"
    added = [line for line in _lines(got) if line not in set(_lines(sent))]
    numbers = {line: number for number, line in reversed(list(enumerate(_lines(sent), 1)))}
    changes = [f"gone: line {numbers[line]} {excerpt(line)}" for line in lost[:2]] + [
        f"new: {excerpt(line)}" for line in added[:2]
    ]
    return "offer-mutated", "; ".join(changes) or _out_of_order(_lines(sent), _lines(got))


def _out_of_order(sent: list[str], got: list[str]) -> str:
    """Where two descriptions of the same lines first differ."""
    place = next((n for n, (a, b) in enumerate(zip(sent, got, strict=False)) if a != b), len(got) - 1)
    return (
        f"the order of its lines differs: line {place + 1} was {excerpt(sent[place])} and is now "
        f"{excerpt(got[place])}"
    )


def _lines(description: SessionDescription) -> list[str]:
    return [line.strip() for line in re.split(r"[\r\n]+", description.text) if line.strip()]


def _kinds(description: SessionDescription) -> str:
    kinds = ", ".join(s.kind for s in description.sections) or "none"
    count = len(description.sections)
    return f"{count} {'section' if count == 1 else 'sections'} ({kinds})"


@requirement(
    "signaling.session-forwarded",
    "The session configuration reaches the upstream in the shape it takes",
    stage=CallStage.ARRIVAL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "OpenAI API reference, create call",
        "multipart/form-data with `sdp` and `session`; the session has type `realtime`, and voice and turn "
        "detection under `audio`.",
        CALLS_REFERENCE,
    ),
    needs=("signaling.offer-reaches-upstream",),
    when=(OFFERED, FORWARDED),
    causes={
        "multipart-invalid": Cause(
            "the relay's multipart body cannot be read",
            "let the HTTP library write the form and its Content-Type with the boundary; never set "
            "Content-Type: multipart/form-data by hand",
        ),
        "session-missing": Cause(
            "the relay sent no session configuration, so the call runs on defaults: no instructions, no "
            "tools",
            "send a form part named `session` with the JSON configuration beside the part `sdp`",
        ),
        "session-not-json": Cause(
            "the relay's session part is no JSON object",
            "send JSON.stringify(session) as the part `session`, once encoded",
        ),
        "session-wrapped": Cause(
            "the relay's session is wrapped in an object {session: …}",
            "send the configuration itself as the form's part `session`; the wrapper belongs to "
            "/v1/realtime/client_secrets alone",
        ),
        "session-type-missing": Cause(
            "the relay's session has no type, so OpenAI refuses or ignores it (missing_required_parameter)",
            'add "type": "realtime" at the top level of the session object',
        ),
        "beta-shape": Cause(
            "the relay's session has the shape of the retired beta, which OpenAI refuses (unknown_parameter)",
            "move the fields: turn_detection → audio.input.turn_detection, voice → audio.output.voice, "
            "modalities → output_modalities, input_audio_format → audio.input.format; drop temperature",
        ),
        "retired-model": Cause(
            "the relay asks for a model that is retired",
            "set the session's model to a current one, such as gpt-realtime-2.1",
        ),
    },
)
def session_forwarded(timeline: Timeline) -> Finding:
    """The form is readable, its `session` a GA session object of a current model."""
    request = upstream_offers(timeline)[0].request
    problem = multipart_problem(request)
    if problem:
        return _session_violation(request, "multipart-invalid", problem)
    text = forwarded_session(request)
    if text is None:
        if not request.parts and (unknown := _key_may_carry_a_session(timeline, request)) is not None:
            return unknown
        parts = ", ".join(p.name for p in request.parts) or "none"
        bare = "the bare offer, with a secret key, which has no session of its own"
        seen = f"the form's parts: {parts}" if request.parts else bare
        return _session_violation(request, "session-missing", seen)
    session = as_json(text)
    if not isinstance(session, dict):
        return _session_violation(request, "session-not-json", f"it reads {excerpt(text)}")
    if set(session) == {"session"}:
        inside = session["session"]
        names = ", ".join(inside) if isinstance(inside, dict) else type(inside).__name__
        return _session_violation(request, "session-wrapped", f"in it: {names}")
    beta = [name for name in session if name in BETA_FIELDS]
    if beta:
        moved = ", ".join(f"{name} → {BETA_FIELDS[name]}" for name in beta)
        return _session_violation(request, "beta-shape", moved)
    if "type" not in session:
        return _session_violation(request, "session-type-missing", f"its fields: {', '.join(session)}")
    return _retired(request, day_of(started(timeline).started_at), session)


def _retired(request: HttpRequest, today: Date, session: Mapping[str, object]) -> Violation | None:
    """By the announced dates; the transcription's model is one of the session's."""
    transcribes = field(session, "audio", "input", "transcription", "model")
    for model in (str(session.get("model", "")), str(transcribes or "")):
        end = shut_down_of(model)
        if end is not None and end.days_left(today) <= 0:
            return _session_violation(request, "retired-model", end.told(today))
    return None


def multipart_problem(request: HttpRequest) -> str:
    """What keeps the form from being read; empty where nothing does."""
    if media_type(request.headers) != "multipart/form-data":
        return ""
    if "boundary=" not in (header(request.headers, "content-type") or ""):
        return "Content-Type names no boundary"
    if not request.parts:
        return f"no part could be found in {excerpt(request.body)}"
    if all(p.name != "sdp" for p in request.parts):
        return f"there is no part `sdp`, only {', '.join(p.name or '(unnamed)' for p in request.parts)}"
    return ""


def _line_ends(description: SessionDescription) -> str:
    """`37 CRLF and 0 LF`; with what stands twice, if anything does."""
    text, bare = description.text, description.bare_line_feeds
    twice, empty = text.count("\r\r\n"), text.count("\n\r\n")
    told = [f"{text.count(chr(10)) - bare - twice} CRLF", f"{bare} LF"]
    told += [f"{twice} CR CR LF"] * bool(twice) + [f"{empty} empty lines"] * bool(empty)
    return ", ".join(told[:-1]) + f" and {told[-1]}"


def _key_may_carry_a_session(timeline: Timeline, request: HttpRequest) -> NotApplicable | Inconclusive | None:
    """A bare offer is right with an ephemeral key, which has a session of its own, not with a secret one."""
    credentials = header(request.headers, "authorization") or ""
    if "ek_" in credentials or timeline.first(TokenMinted) is not None:
        return NotApplicable("the session is that of the ephemeral key which was used")
    if "sk-" in credentials:
        return None
    return Inconclusive(
        "the relay sent the bare offer, and whether its key carries a session is not recorded"
    )


def _session_violation(request: HttpRequest, cause: str, seen: str) -> Violation:
    kind = header(request.headers, "content-type") or "none"
    return Violation(
        cause, seen, (Evidence(request.at, f"the relay sent {request.method} {request.url}, type {kind}"),)
    )


@requirement(
    "signaling.one-call-per-offer",
    "One offer makes one call",
    stage=CallStage.ARRIVAL,
    level=Level.MUST,
    because=Because.MONEY,
    severity=Severity.CRITICAL,
    source=Source(
        "RFC 9110, section 9.2.2",
        "A proxy must not automatically retry non-idempotent requests; a POST to calls makes a billed call "
        "each time.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2",
    ),
    when=(OFFERED, FORWARDED),
    causes={
        "duplicate-call": Cause(
            "one offer made several calls upstream, and each is billed until it ends",
            "do not retry the POST to /v1/realtime/calls (openai-python retries by itself: max_retries=0), "
            "and do not send it twice from two handlers",
        )
    },
)
def one_call_per_offer(timeline: Timeline) -> Finding:
    """At most one of the relay's requests made a call."""
    offers = upstream_offers(timeline)
    made = [e for e in offers if e.succeeded]
    if len(made) < 2:
        return None
    return Violation(
        "duplicate-call",
        f"{len(offers)} requests, {len(made)} calls made",
        tuple(line for e in offers for line in e.evidence()),
    )
