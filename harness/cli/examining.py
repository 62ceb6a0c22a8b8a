"""One call that shows what a relay does, in a dialect that is found where none was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from harness.call import Caller, Scenario, scenario
from harness.call.conduct import CallRecord, make_call
from harness.call.desk import Desk
from harness.config.target import DIALECT_NAMES
from harness.core.events import CallStarted, Event, HttpResponse
from harness.core.probes import OFFER
from harness.core.timeline import Timeline
from harness.requirements.judging import CallJudge
from harness.requirements.registry import REGISTRY
from harness.signaling.dialects import dialect_named

Watch = Callable[[Timeline, Event], None]

# The first gets an answer out of most relays: it holds what `json` holds, and takes either form of answer.
ORDER = ("json-answer", "json", "sdp", "multipart")
# Refusals that another dialect may turn into an answer. An offer that is refused makes no call, so trying
# again costs nothing; where the key, the path or the login is at fault, another dialect would not help.
# The likeliest to be the relay's real trouble comes first.
ABOUT_THE_FORM = ("upstream-offer-rejected", "relay-error", "offer-refused")
# Too much, too many, not now (RFC 9110, RFC 6585): whatever the form.
WHATEVER_THE_FORM = (413, 429, 503)


@dataclass(frozen=True)
class Examined:
    """The call, the dialect it was made in, and each dialect that was refused before it, with the cause."""

    record: CallRecord
    dialect: str
    refused: Sequence[tuple[str, str]] = ()


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
    desk: Desk, plan: Scenario, *, watch: Watch, on_refused: Callable[[str, str], None]
) -> Examined:
    """Make the call in the target's dialect, or where none was given in the first that is not refused.

    `on_refused` is told of each dialect that was, with the cause. Where all are, the call is the one whose
    refusal says most.
    """
    if desk.settings.dialect_given or desk.settings.mode == "embedded":
        return Examined(await make_call(desk, plan, call="001-checkup", watch=watch), desk.target.dialect)
    refused: list[tuple[str, str]] = []
    records: dict[str, CallRecord] = {}
    for number, dialect in enumerate(_possible(desk), start=1):
        target = replace(desk.target, dialect=dialect)
        record = await make_call(
            replace(desk, target=target), plan, call=f"{number:03d}-checkup", watch=watch
        )
        cause = _refusal(record.timeline)
        if cause is None:
            spoken = _spoken(record.timeline, dialect)
            return Examined(_in_dialect(record, spoken), spoken, refused)
        refused.append((dialect, cause))
        records[dialect] = record
        on_refused(dialect, cause)
    telling = min(refused, key=lambda each: (ABOUT_THE_FORM.index(each[1]), DIALECT_NAMES.index(each[0])))
    return Examined(records[telling[0]], telling[0], refused)


def _refusal(timeline: Timeline) -> str | None:
    """Why the offer was refused, where another dialect may help."""
    cause = CallJudge(timeline).verdict(REGISTRY.get("signaling.offer-accepted")).cause
    response = timeline.first(HttpResponse, where=lambda e: e.purpose == OFFER)
    if response is not None and response.status in WHATEVER_THE_FORM:
        return None
    return cause if cause in ABOUT_THE_FORM else None


def _possible(desk: Desk) -> list[str]:
    """Extra fields can only travel in dialects that have room for them."""
    return [name for name in ORDER if not desk.target.fields or dialect_named(name).has_fields]


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
