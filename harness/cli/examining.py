"""One call that shows what a relay does, in a dialect that is found where none was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from harness.call import Caller, Scenario, scenario
from harness.call.conduct import CallRecord, make_call
from harness.call.context import CallContext
from harness.config.target import DIALECT_NAMES
from harness.core.events import CallStarted, Event, HttpResponse
from harness.core.naming import name_of
from harness.core.probes import OFFER
from harness.core.timeline import Timeline
from harness.requirements.arrivals import offer_came_through
from harness.requirements.exchanges import error_of, excerpt
from harness.requirements.judging import CallJudge
from harness.requirements.registry import REGISTRY
from harness.signaling.dialects import dialect_named

Watch = Callable[[Timeline, Event], None]

# The first gets an answer out of most relays: it holds what `json` holds, and takes either form of answer.
ORDER = ("json-answer", "json", "sdp", "multipart")
# Refusals that another dialect may turn into an answer. An offer that is refused makes no call, so trying
# again costs nothing; where the key, the path or the login is at fault, another dialect would not help.
# The likeliest to be the relay's real trouble comes first.
ABOUT_THE_FORM = (
    "json-instead-of-sdp",
    "object-as-text",
    "offer-undefined",
    "offer-empty",
    "form-sent-as-text",
    "offer-mutated",
    "upstream-offer-rejected",
    "multipart-invalid",
    "relay-error",
    "offer-refused",
)
# Too much, too many, not now (RFC 9110, RFC 6585): whatever the form.
WHATEVER_THE_FORM = (413, 429, 503)


@dataclass(frozen=True)
class DialectRefused:
    """A dialect in which the offer was refused, by which cause, and what showed it."""

    dialect: str
    cause: str
    seen: str


@dataclass(frozen=True)
class Examined:
    """The call, the dialect it was made in, and each dialect that was refused before it."""

    record: CallRecord
    dialect: str
    refused: Sequence[DialectRefused] = ()

    @property
    def was_found(self) -> bool:
        """Whether the dialect is one that a search came upon, after others were refused."""
        return bool(self.refused) and self.dialect not in [each.dialect for each in self.refused]


def check_call(clip: str) -> Scenario:
    """A page asks whether it may, connects, says one thing, hears the reply and hangs up."""

    @scenario()
    async def checkup(caller: Caller) -> None:
        """A caller says one thing, is answered, and hangs up."""
        await caller.probe.preflight()
        await caller.connect()
        await caller.say(clip)
        await caller.hear_reply()
        await caller.hang_up()

    return checkup


async def examine(
    context: CallContext, plan: Scenario, *, watch: Watch, on_refused: Callable[[DialectRefused], None]
) -> Examined:
    """Make the call in the target's dialect, or where none was given in the first that is not refused.

    `on_refused` is told of each dialect that was. Where all are, the call is the one whose refusal says most.
    The search ends as soon as an offer has arrived at the fake as SDP: then the relay read the form, and what
    it was refused for lies elsewhere.
    """
    knows = context.settings.dialect_given or context.settings.mode == "embedded"
    if knows or context.target.is_websocket:
        return Examined(
            await make_call(context, plan, call="001-checkup", watch=watch), context.target.spoken
        )
    refused: list[DialectRefused] = []
    records: dict[str, CallRecord] = {}
    for number, dialect in enumerate(_possible(context), start=1):
        target = replace(context.target, dialect=dialect)
        record = await make_call(
            replace(context, target=target), plan, call=f"{number:03d}-checkup", watch=watch
        )
        refusal = _refusal(record.timeline, dialect)
        if refusal is None:
            spoken = _spoken(record.timeline, dialect)
            return Examined(_in_dialect(record, spoken), spoken, refused)
        refused.append(refusal)
        records[dialect] = record
        on_refused(refusal)
    telling = min(refused, key=lambda r: (ABOUT_THE_FORM.index(r.cause), DIALECT_NAMES.index(r.dialect)))
    return Examined(records[telling.dialect], telling.dialect, refused)


def _refusal(timeline: Timeline, dialect: str) -> DialectRefused | None:
    """Why the offer was refused, where another dialect may help."""
    response = timeline.first(HttpResponse, where=lambda e: e.purpose == OFFER)
    if response is not None and response.status in WHATEVER_THE_FORM:
        return None
    if (name := name_of(timeline)) and offer_came_through(timeline, name):
        return None
    judge = CallJudge(timeline)
    verdict = judge.verdict(REGISTRY.get("signaling.offer-accepted"))
    if verdict.root is not None:
        verdict = judge.verdict(REGISTRY.get(verdict.root))
    if verdict.cause not in ABOUT_THE_FORM:
        return None
    return DialectRefused(dialect, verdict.cause, _in_short(response))


def _in_short(response: HttpResponse | None) -> str:
    if response is None:
        return "no response"
    said = error_of(response.body) or {}
    words = str(said.get("message") or said.get("code") or response.body)
    return f"status {response.status}" + (f": {excerpt(words, 100)}" if words.strip() else "")


def _possible(context: CallContext) -> list[str]:
    """Extra fields can only travel in dialects that have room for them."""
    return [name for name in ORDER if not context.target.fields or dialect_named(name).has_fields]


def _spoken(timeline: Timeline, dialect: str) -> str:
    """The dialect that the relay speaks: its answer tells `json` from `json-answer`."""
    response = timeline.first(HttpResponse, where=lambda e: e.purpose == OFFER)
    if dialect != "json-answer" or response is None:
        return dialect
    is_wrapped = dialect_named("json-answer").unwrap(response.body) != response.body
    return "json-answer" if is_wrapped else "json"


def _in_dialect(record: CallRecord, dialect: str) -> CallRecord:
    """The record under the dialect that was found."""
    events = (
        msgspec.structs.replace(event, dialect=dialect) if isinstance(event, CallStarted) else event
        for event in record.timeline
    )
    return replace(record, timeline=Timeline(events))
