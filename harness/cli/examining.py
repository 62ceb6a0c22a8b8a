"""One call that shows what a relay does, in a dialect that is found where none was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from harness.call import Caller, Scenario, scenario
from harness.call.conduct import CallRecord, make_call
from harness.call.context import CallContext, with_upstream
from harness.call.tripping import Tripping, may_be_about_the_offer
from harness.config.hooks import TokenMint
from harness.core.dialects import OWN, Dialect
from harness.core.events import AnswerReceived, CallStarted, Event, HttpResponse, TokenMinted
from harness.core.json_paths import place_of_sdp
from harness.core.naming import name_of
from harness.core.probes import OFFER
from harness.core.timeline import Timeline
from harness.requirements.arrivals import offer_came_through
from harness.requirements.exchanges import as_json, error_of, excerpt, header
from harness.requirements.judging import CallJudge
from harness.requirements.model import Outcome
from harness.requirements.registry import REGISTRY
from harness.signaling.searching import NOT_HERE, DialectSearch, settled
from harness.signaling.tokens import key_place

Watch = Callable[[Timeline, Event], None]

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
# Those in which the relay itself speaks; in the others it may pass on what the upstream said.
OF_THE_RELAY = ("relay-error", "offer-refused")
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
    """The call, the dialect it was made in, and each dialect that was refused before it.

    `searched`: none was given. `unknown`: fields that the relay asked for and no page is known to send.
    `token`: the address turned out to mint keys, with which the call was made.
    """

    record: CallRecord
    dialect: Dialect
    refused: Sequence[DialectRefused] = ()
    was_found: bool = False
    unknown: Sequence[str] = ()
    token: TokenMint | None = None
    searched: bool = False


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
        record = await make_call(context, plan, call="001-checkup", watch=watch)
        return Examined(record, context.target.wrapping)
    search = _Searching(context, plan, watch, on_refused)
    found = await search.run()
    last = found.record.timeline
    if found.token is not None or last.first(AnswerReceived) is not None or not may_be_about_the_offer(last):
        return found
    # No call came of it: once more, and this time it may be asked what the relay trips over.
    record = await search.call(found.dialect, Tripping())
    return replace(found, record=record)


class _Searching:
    """One search, an offer after the other; no further offers are made of one that is refused."""

    def __init__(
        self,
        context: CallContext,
        plan: Scenario,
        watch: Watch,
        on_refused: Callable[[DialectRefused], None],
    ) -> None:
        self._context = context
        self._plan = plan
        self._watch = watch
        self._on_refused = on_refused
        self._search = DialectSearch(only_with_fields=bool(context.target.fields))
        self._refused: list[tuple[DialectRefused, Dialect, CallRecord]] = []
        self._number = 0
        self._url = context.target.url
        self._asked = False

    async def run(self) -> Examined:
        """The call that was made, or else the one whose refusal says most."""
        while (dialect := self._search.next()) is not None:
            record = await self.call(dialect, Tripping(asks=False))
            if place := _key_place(record):
                return await self._with_key(TokenMint(self._url, dialect.method, dialect.fields, value=place))
            if (other := self._other_method(record, dialect)) is not None:
                again = await self.call(other, Tripping(asks=False))
                if _status(again) in NOT_HERE:  # so it was not about the method, or the page asks with GET
                    return await self._asked_with_get() or self._examined(record, dialect)
                record, dialect = again, other
            elif _status(record) in NOT_HERE and (found := await self._asked_with_get()) is not None:
                return found
            refusal = _refusal(record.timeline, dialect)
            if refusal is None:
                return self._examined(record, dialect)
            self._refused.append((refusal, dialect, record))
            self._on_refused(refusal)
            self._search.refused(dialect, _body(record) if refusal.cause in OF_THE_RELAY else "")
        _, dialect, record = min(self._refused, key=lambda each: ABOUT_THE_FORM.index(each[0].cause))
        return self._examined(record, dialect, found=False)

    async def call(self, dialect: Dialect, tripping: Tripping) -> CallRecord:
        """The planned call, in a dialect."""
        self._number += 1
        target = replace(self._context.target, dialect=OWN, own_dialect=dialect)
        context = replace(self._context, target=target, tripping=tripping)
        record = await make_call(context, self._plan, call=f"{self._number:03d}-checkup", watch=self._watch)
        return _in_dialect(record, settled(dialect, _body(record)))

    async def _asked_with_get(self) -> Examined | None:
        """Whether the address mints keys for who asks with GET; that makes no call."""
        if self._asked:
            return None
        self._asked = True
        found = await self._with_key(TokenMint(self._url, "GET"))
        told = found.record.timeline.first(TokenMinted)
        return found if told is not None and told.key != "none" else None

    async def _with_key(self, token: TokenMint) -> Examined:
        """The planned call with a key that is minted for it."""
        self._number += 1
        target = replace(self._context.target, dialect="sdp", own_dialect=None, token=token)
        target = with_upstream(target, self._context.settings.fake_openai)
        context = replace(self._context, target=target, tripping=Tripping(asks=False))
        record = await make_call(context, self._plan, call=f"{self._number:03d}-checkup", watch=self._watch)
        told = record.timeline.first(TokenMinted)
        place = told.place if told is not None and told.place else token.value
        return replace(
            self._examined(record, target.wrapping), token=replace(token, value=place), was_found=True
        )

    def _other_method(self, record: CallRecord, dialect: Dialect) -> Dialect | None:
        response = _response(record.timeline)
        if response is None:
            return None
        return self._search.method_after(dialect, response.status, header(response.headers, "allow") or "")

    def _examined(self, record: CallRecord, dialect: Dialect, *, found: bool = True) -> Examined:
        refused = [refusal for refusal, _, _ in self._refused]
        return Examined(
            record,
            settled(dialect, _body(record)),
            refused,
            was_found=found and bool(refused),
            unknown=tuple(self._search.unknown),
            searched=True,
        )


def _refusal(timeline: Timeline, dialect: Dialect) -> DialectRefused | None:
    """Why the offer was refused, where another dialect may help."""
    response = _response(timeline)
    if response is not None and response.status in WHATEVER_THE_FORM:
        return None
    if (name := name_of(timeline)) and offer_came_through(timeline, name):
        return None
    judge = CallJudge(timeline)
    verdict = judge.verdict(REGISTRY.get("signaling.offer-accepted"))
    if verdict.root is not None:
        verdict = judge.verdict(REGISTRY.get(verdict.root))
    cause = verdict.cause
    if verdict.outcome == Outcome.PASSED and response is not None and error_of(response.body):
        cause = "offer-refused"  # by a relay that says so with a 2xx: an error is no call
    if cause not in ABOUT_THE_FORM:
        return None
    asked_as = settled(dialect, "").name
    name = asked_as if asked_as != OWN else dialect.shown
    return DialectRefused(name, cause, _in_short(response))


def _in_short(response: HttpResponse | None) -> str:
    if response is None:
        return "no response"
    said = error_of(response.body) or {}
    words = str(said.get("message") or said.get("code") or response.body)
    return f"status {response.status}" + (f": {excerpt(words, 100)}" if words.strip() else "")


def _response(timeline: Timeline) -> HttpResponse | None:
    return timeline.first(HttpResponse, where=lambda e: e.purpose == OFFER)


def _status(record: CallRecord) -> int | None:
    response = _response(record.timeline)
    return response.status if response else None


def _body(record: CallRecord) -> str:
    response = _response(record.timeline)
    return response.body if response else ""


def _key_place(record: CallRecord) -> str:
    """Where the response has a key in place of an answer; empty where it has none."""
    status = _status(record)
    if status is None or not 200 <= status < 300 or place_of_sdp(_body(record)):
        return ""
    data = as_json(_body(record))
    return key_place(data) if isinstance(data, dict) else ""


def _in_dialect(record: CallRecord, dialect: Dialect) -> CallRecord:
    """The record under the dialect that was found."""
    events = (
        msgspec.structs.replace(event, dialect=dialect.name) if isinstance(event, CallStarted) else event
        for event in record.timeline
    )
    return replace(record, timeline=Timeline(events))
