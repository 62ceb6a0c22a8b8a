"""The call, its plan, and what we ourselves got wrong."""

from __future__ import annotations

from typing import Literal

import msgspec

from harness.core.events.base import Event
from harness.core.prices import Price


class CallStarted(Event, frozen=True, kw_only=True):
    """The first line of a timeline. `origin` is the monotonic clock's value at `at` 0.

    `prices` are the target's own, by model. `continues` is the call that this one was made in place of.
    `silent`: the target is not meant to be heard. `caller`: who makes it, by its name in `core.callers`.
    `traceparent`: its trace, where the run is traced.
    `passes_events`: OpenAI's events come to the caller; where not, those that the upstream sent are judged.
    """

    call: str
    scenario: str = ""
    started_at: str = ""
    origin: float = 0.0
    seed: int = 0
    harness: str = ""
    target: str = ""
    dialect: str = ""
    mode: Literal["embedded", "black-box", "grey-box"] = "embedded"
    limits: dict[str, float] = msgspec.field(default_factory=dict)
    prices: dict[str, Price] = msgspec.field(default_factory=dict)
    ufrag: str = ""
    continues: str = ""
    silent: bool = False
    caller: str = "aiortc"
    passes_events: bool = True
    traceparent: str = ""


class CallWithheld(Event, frozen=True, kw_only=True):
    """The call was planned and not placed, for its cost or else: its start and end alone stand beside."""

    reason: str
    for_cost: bool = True


class CallBeside(Event, frozen=True, kw_only=True):
    """One of several calls of one caller at the same time, made to see how many the target lets it have.

    `round`: one after the other, or all at once. `status` is the response's. `connected`: its data channel
    opened; `live`: it was still open when all of the round had been made. All were hung up then.
    """

    round: Literal["in-turn", "at-once"]
    number: int
    status: int | None = None
    connected: bool = False
    live: bool = False


class VerbUnavailable(Event, frozen=True, kw_only=True):
    """The plan asked what this kind of caller cannot do, so it ended: nothing of the call is judged.

    `verb` and `reason` are those of `core.callers`.
    """

    verb: str
    caller: str
    reason: str


class StepStarted(Event, frozen=True, kw_only=True):
    """The scenario asked the caller for something: `connect`, `say es-f-order`, …"""

    step: str


class StepEnded(Event, frozen=True, kw_only=True):
    """The step is over. `failed` is empty, or says why the plan could not go on."""

    step: str
    failed: str = ""


class WaitExpired(Event, frozen=True, kw_only=True):
    """The caller waited `within` seconds for `what`, and it did not come."""

    what: str
    within: float


class CallEnded(Event, frozen=True, kw_only=True):
    """The caller side: everything is cleaned up. The upstream side: the call was released there."""

    reason: str


class HarnessFailed(Event, frozen=True, kw_only=True):
    """We broke. Nothing that follows may be blamed on the target."""

    error: str
    where: str = ""


class Stalled(Event, frozen=True, kw_only=True):
    """This end's event loop stood still for so many seconds, up to `at`: it sent and noticed nothing."""

    seconds: float


class PacingMeasured(Event, frozen=True, kw_only=True):
    """How late our own sender was against its 20 ms deadlines, in ms, over `packets` packets."""

    packets: int
    p50: float
    p99: float
    max: float


class UpstreamUnavailable(Event, frozen=True, kw_only=True):
    """The fake could not be asked for its view of the call."""

    reason: str


class SecretSeen(Event, frozen=True, kw_only=True):
    """A secret that the caller must never see came back: found before redaction, so `excerpt` is redacted.

    `where`: `response header x-debug`, `response body`, `answer`, `server event session.created`, …
    """

    where: str
    excerpt: str = ""
