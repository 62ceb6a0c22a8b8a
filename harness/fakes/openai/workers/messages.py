"""What passes between the front and a worker: questions with their replies, and news without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from harness.core.events import kebab
from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.settings import FakeSettings


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=kebab):
    """Times are seconds of CLOCK_MONOTONIC, which all processes of a machine share."""


class Done(_Message, frozen=True):
    """The reply to what needs none but that it is done."""


# --- the front asks ---------------------------------------------------------------------------------


class Start(_Message, frozen=True, kw_only=True):
    """Be worker `index` of `workers`. Replied by Started or StartRefused."""

    settings: FakeSettings
    index: int
    workers: int


class Started(_Message, frozen=True):
    """Connections can be handed over."""


class StartRefused(_Message, frozen=True, kw_only=True):
    """The settings cannot be used."""

    message: str
    remedy: str


class ShowCalls(_Message, frozen=True, kw_only=True):
    """See `Inspected.show`. Replied by Shown."""

    chosen: Mapping[str, str]
    events: bool


class Shown(_Message, frozen=True, kw_only=True):
    """Calls as `CallRecord.as_json`, or requests as `Arrivals.show`."""

    found: Sequence[dict[str, Any]]


class ShowArrived(_Message, frozen=True, kw_only=True):
    """See `Inspected.arrived`. Replied by Shown."""

    since: float
    answer: str


class EndCalls(_Message, frozen=True, kw_only=True):
    """See `Inspected.end`. Replied by EndedCalls."""

    ufrags: Sequence[str]


class EndedCalls(_Message, frozen=True, kw_only=True):
    """How many calls were ended."""

    count: int


class Reset(_Message, frozen=True):
    """See `Inspected.reset`. Replied by Done."""


class Issued(_Message, frozen=True, kw_only=True):
    """An ephemeral key that all must know: from a worker to the front, from there to the others."""

    value: str
    expires: float
    session: dict[str, Any]


# --- a worker asks or tells -------------------------------------------------------------------------


class Begun(_Message, frozen=True, kw_only=True):
    """A call as it begins, with its request. Replied by Met."""

    call: dict[str, Any]


class Met(_Message, frozen=True, kw_only=True):
    """The faults that the call meets, by name, in their order; `seed`: where their chance comes from."""

    faults: Mapping[str, FaultValue]
    seed: str


class Ended(_Message, frozen=True, kw_only=True):
    """News: a call as it ended, without its events."""

    call: dict[str, Any]


Message = (
    Done
    | Start
    | Started
    | StartRefused
    | ShowCalls
    | ShowArrived
    | Shown
    | EndCalls
    | EndedCalls
    | Reset
    | Issued
    | Begun
    | Met
    | Ended
)


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`number` ties a reply to its question; news have none."""

    message: Message
    number: int = 0
    is_reply: bool = False
