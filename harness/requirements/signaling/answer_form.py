"""Whether the answer is SDP at all, says so, and is written as SDP must be."""

from __future__ import annotations

import re

from harness.core.events import AnswerReceived, HttpResponse, WhipSession
from harness.core.json_paths import place_of_sdp
from harness.core.sdp import parse_sdp
from harness.core.sdp_lines import unreadable
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import ANSWERED, OFFERED
from harness.requirements.exchanges import (
    Exchange,
    as_json,
    error_of,
    excerpt,
    is_html,
    media_type,
    offer_exchange,
    upstream_offers,
)
from harness.requirements.model import (
    Because,
    Cause,
    Finding,
    Level,
    NotApplicable,
    Observation,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.signaling.mangled import what_was_made_of_it
from harness.requirements.signaling.quoting import answer_of, quote, whose_doing

SDP_BEGINS = re.compile(
    r"v=0(?:\\+r)?(?:\\+n|[\r\n])"
)  # as it is, or in JSON's escapes, however often escaped
SDP_LINE = re.compile("[a-z]=")
SDP, PLAIN = "application/sdp", "text/plain"


@requirement(
    "signaling.answer-is-sdp",
    "The answer is SDP",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 8866, section 5.1",
        "A session description begins with the line v=0.",
        "https://www.rfc-editor.org/rfc/rfc8866#section-5.1",
    ),
    needs=("signaling.offer-accepted",),
    when=(OFFERED,),
    causes={
        "upstream-error-as-sdp": Cause(
            "the relay passed an error body on as the answer",
            "look at the upstream's status before its body: answer 502 for anything but 200 or 201, so "
            "that the browser does not meet `Expect line: v=`",
        ),
        "html-page": Cause(
            "the answer is an HTML page",
            "point --target at the relay's API path rather than the app; a proxy, a single-page fallback "
            "or an error page with status 200 stands before it",
        ),
        "json-wrapped": Cause(
            "the answer is in JSON, and not where this dialect looks for it",
            "return the SDP itself as the body with Content-Type: application/sdp, or say in harness.toml "
            'where it is, such as dialect = { answer = "data.sdp" }; `harness doctor` finds it',
        ),
        "json-without-sdp": Cause(
            "the answer is JSON, and no SDP is in it",
            "look at what the relay returns: a field of another name or one that is undefined, a promise "
            "that was not awaited, or a success that hides a failure; what is no answer is never a 2xx",
        ),
        "answer-truncated": Cause(
            "the relay returned only the beginning of the upstream's answer",
            "let the framework write Content-Length (in bytes, not characters), read the upstream's body to "
            "its end, and look for a buffer or a database column with a length",
        ),
        "empty-body": Cause(
            "the answer is empty",
            "return the upstream's body: await response.text() once, and not twice; OpenAI's "
            "success is 201, so a branch for status 200 alone is never taken",
        ),
        "not-sdp": Cause(
            "the answer is no SDP",
            "return the upstream's answer byte for byte; its first line is v=0",
        ),
    },
)
def answer_is_sdp(timeline: Timeline) -> Finding:
    """What the dialect took out of the 2xx response begins with v=0."""
    exchange = offer_exchange(timeline)
    if exchange is None or exchange.response is None:
        return NotApplicable("there was no response")
    if not exchange.succeeded:  # which is no answer, also where it cannot be told why (a busy machine)
        return NotApplicable(f"the offer was answered with status {exchange.status}")
    answer = timeline.first(AnswerReceived)
    text = answer.sdp if answer is not None else exchange.body
    description = parse_sdp(text)
    if description.is_sdp and not description.excess and not text[:1].isspace():
        return _cut_short(timeline, exchange, text)
    cause, seen = _not_sdp(timeline, exchange.response, text)
    return Violation(cause, f"status {exchange.status}, {seen}", exchange.evidence())


def _cut_short(timeline: Timeline, exchange: Exchange, text: str) -> Violation | None:
    """Within a line, or within a section: at the end of one it is a section that was dropped."""
    whole = [e.body for e in upstream_offers(timeline) if e.succeeded]
    for answer in whole:
        rest = answer[len(text) :]
        if answer.startswith(text) and len(rest) > len("\r\n") and not rest.startswith("m="):
            seen = f"{len(text)} of {len(answer)} characters, the last {excerpt(text[-24:])}"
            return Violation("answer-truncated", seen, exchange.evidence())
    return None


def _not_sdp(timeline: Timeline, response: HttpResponse, text: str) -> tuple[str, str]:
    failures = [e for e in upstream_offers(timeline) if e.response is not None and not e.succeeded]
    if failures and failures[-1].body.strip() and failures[-1].body.strip() in response.body:
        return (
            "upstream-error-as-sdp",
            f"the body is what the upstream said with status {failures[-1].status}",
        )
    if not text.strip():
        return "empty-body", "no characters but white space"
    if excess := parse_sdp(text).excess:
        return "not-sdp", f"the body has {excess}"
    error = error_of(text) or error_of(response.body)
    if error is not None:
        return "upstream-error-as-sdp", f"the body says {excerpt(str(error.get('message') or error))}"
    data = as_json(text)
    if data is None:
        data = as_json(response.body)
    if data is not None:
        place = place_of_sdp(response.body)
        if not place and SDP_BEGINS.search(response.body) is None:
            names = ", ".join(map(str, data)) if isinstance(data, dict) else type(data).__name__
            return "json-without-sdp", f"the body has {excerpt(names)}: {excerpt(response.body, 120)}"
        return "json-wrapped", f"the body is JSON with the SDP at {excerpt(place or 'no place of its own')}"
    if is_html(response):
        return "html-page", f"the body begins {excerpt(response.body.lstrip(), 60)}"
    made = what_was_made_of_it(text)
    seen = f"the body begins {excerpt(text, 60)} instead of 'v=0'"
    return "not-sdp", f"{seen}; {made}" if made else seen


@requirement(
    "signaling.answer-media-type",
    "The answer says what it is",
    stage=CallStage.ANSWER,
    level=Level.OBSERVE,  # a MUST for a target that declares WHIP (RFC 9725, section 4.2), once one can
    because=Because.ADVICE,
    severity=Severity.MINOR,
    source=Source(
        "RFC 9110, section 8.3; RFC 8866, section 8.2.1",
        "A sender that generates content should say its media type; SDP's is application/sdp. OpenAI's own "
        "answers say text/plain (August 2026), which browsers read as well.",
        "https://www.rfc-editor.org/rfc/rfc9110#section-8.3",
    ),
    needs=("signaling.answer-is-sdp",),
    when=(OFFERED, ANSWERED),
    causes={
        "wrong-media-type": Cause(
            "the answer's Content-Type is not that of its body",
            "set Content-Type: application/sdp on an SDP body, application/json on JSON; frameworks choose "
            "a type of their own when they are not told",
            level=Level.SHOULD,
        )
    },
)
def answer_media_type(timeline: Timeline) -> Finding:
    """application/sdp, or application/json where the dialect wraps it; text/plain is told and no fault.

    To a WHIP client it must be application/sdp (RFC 9725, section 4.2).
    """
    exchange = offer_exchange(timeline)
    if exchange is None or exchange.response is None:
        return NotApplicable("there was no response")
    expected = "application/json" if isinstance(as_json(exchange.body), dict) else SDP
    actual = media_type(exchange.response.headers)
    if actual == expected:
        return None
    if timeline.first(WhipSession) is not None:
        seen = f"{actual or 'none'} where WHIP has {SDP} (RFC 9725, section 4.2)"
        return Violation("wrong-media-type", seen, exchange.evidence()[-1:], level=Level.MUST)
    if actual == PLAIN and expected == SDP:
        copied = any(media_type(e.response.headers) == PLAIN for e in upstream_offers(timeline) if e.response)
        seen = "copied from the upstream" if copied else "as OpenAI's own answers"
        hint = "browsers read it all the same, a WHIP client wants application/sdp"
        return Observation("", (), exchange.evidence()[-1:], f"{PLAIN}, {seen}: {hint}")
    return Violation(
        "wrong-media-type", f"{actual or 'none'} where {expected} was due", exchange.evidence()[-1:]
    )


@requirement(
    "signaling.answer-line-endings",
    "Every line of the answer ends in CRLF",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CLAUSE,
    severity=Severity.NORMAL,
    source=Source(
        "RFC 8866, sections 5 and 9",
        "CRLF ends each line, also the last; parsers should tolerate a bare LF.",
        "https://www.rfc-editor.org/rfc/rfc8866#section-9",
    ),
    needs=("signaling.answer-is-sdp",),
    when=(OFFERED, ANSWERED),
    causes={
        "bare-line-feeds": Cause(
            "lines of the answer end in LF without CR",
            "return the upstream's body as bytes; look for text-mode reads, splitlines()/join and "
            "replace('\\r', '')",
            blocks=False,  # browsers read it all the same
        ),
        "no-final-newline": Cause(
            "the answer's last line has no end, so browsers refuse it",
            "return the upstream's body as it came: remove .trim()/.strip() from the answer, and look for "
            "what cuts it off",
            because=Because.CALLER,
        ),
    },
)
def answer_line_endings(timeline: Timeline) -> Finding:
    """A final line end, and no bare LF."""
    answer = answer_of(timeline)
    description = parse_sdp(answer.sdp)
    unended = answer.sdp.rpartition("\n")[2]
    if not description.ends_with_newline and SDP_LINE.match(unended):  # else it is no line at all
        cause, seen = "no-final-newline", f"it ends {answer.sdp[-24:]!r}"
    elif description.bare_line_feeds:
        cause, seen = "bare-line-feeds", f"{description.bare_line_feeds} lines"
    else:
        return None
    return Violation(cause, seen + whose_doing(timeline, answer), (quote(answer),))


@requirement(
    "signaling.answer-readable",
    "A browser can read every line of the answer",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 8866, sections 5 and 9; what Chromium's setRemoteDescription refuses (docs/answers.md)",
        "Lines of one letter, = and a value, in their order; for one that it cannot read, a browser refuses "
        "the whole description.",
        "https://www.rfc-editor.org/rfc/rfc8866#section-5",
    ),
    needs=("signaling.answer-is-sdp", "signaling.answer-line-endings"),
    when=(OFFERED, ANSWERED),
    causes={
        "line-unreadable": Cause(
            "browsers cannot read a line of the answer, and refuse all of it",
            "return the upstream's answer byte for byte: no empty line, no text before or after it, no line "
            "written anew; the line that is named is what setRemoteDescription fails at",
        ),
    },
)
def answer_readable(timeline: Timeline) -> Finding:
    """What libwebrtc's parser takes, which most browsers have."""
    answer = answer_of(timeline)
    if not (problem := unreadable(answer.sdp)):
        return None
    return Violation("line-unreadable", problem + whose_doing(timeline, answer), (quote(answer),))
