"""What passes between a Locust process and those that it starts: one JSON object a line, tagged by `kind`.

One process makes its calls (`call_process`), another sends offers alone (`arrivals/ordered.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from harness.core.events import kebab


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=kebab, omit_defaults=True):
    """A line. Times (`…_at`, `at`) are seconds of CLOCK_MONOTONIC, which both processes share."""


# --- to such a process ------------------------------------------------------------------------------


class LoadSettings(_Message, frozen=True, kw_only=True):
    """The first line. Secrets are not in it: they are in the environment, which the process inherits.

    `host`: the target's URL or name, "" for the embedded pair. `texts`: Locust's options as they were given,
    by field; from them the process makes the settings of its run, while the others here are understood
    already. `decode_share`: the part (0 to 1) of calls that are examined in full: their audio decoded, the
    fake asked for its view. `turns` of a steady caller. `limits`: what calls are judged by.
    """

    host: str = ""
    texts: Mapping[str, str | bool | Sequence[str]] = {}
    seed: int = 0
    decode_share: float = 0.1
    turns: int = 3
    limits: Mapping[str, float] = {}


class Order(_Message, frozen=True, kw_only=True):
    """Have one call made: by the caller of this kind and number, for the `round`-th time."""

    id: int
    caller: str
    number: int
    round: int
    placed_at: float


class Cancel(_Message, frozen=True, kw_only=True):
    """Hang up: nobody waits for this call any more."""

    id: int


class Rate(_Message, frozen=True, kw_only=True):
    """Send so many offers a second from now on, at random; 0 ends it, and is answered with `OffersOver`."""

    per_second: float


Instruction = LoadSettings | Order | Cancel | Rate


# --- from such a process ----------------------------------------------------------------------------


class Ready(_Message, frozen=True, kw_only=True):
    """Orders are taken from now on. `fake` is the base URL of the fake's management, where there is one."""

    target: str
    dialect: str
    mode: str
    fake: str = ""


class Refused(_Message, frozen=True, kw_only=True):
    """It cannot begin: the settings cannot be used (`usage`), or something of ours broke."""

    error: str
    usage: bool = False


class StageDone(_Message, frozen=True, kw_only=True):
    """A stage of a call ended `at`, after `ms`."""

    id: int
    row: str
    at: float
    ms: float


class CallMade(_Message, frozen=True, kw_only=True):
    """A call is over. `failure` is empty, or `REQUIREMENT: CAUSE`, and `row` is where it shows.

    `broken` is what the harness got wrong, so that the call says
    nothing about the target. `unreachable`: nothing answered at all. `withheld`: why no call was placed.
    """

    id: int
    at: float
    seconds: float
    failure: str = ""
    row: str = ""
    broken: str = ""
    unreachable: bool = False
    withheld: str = ""


class GeneratorMeasured(_Message, frozen=True, kw_only=True):
    """How the call process fared in the last second. Lateness and lag in ms: every sample, for percentiles.

    `pacing`: each 20 ms tick against its deadline. `lag`: the event loop's timers against theirs.
    `reading`: from a packet's arrival at the socket to its reading, one for each look.
    `placing`: from an order's writing to its call's beginning. `cpu`: part of one core. `rss`: bytes.
    """

    at: float
    calls: int
    cpu: float
    pacing: tuple[float, ...] = ()
    lag: tuple[float, ...] = ()
    reading: tuple[float, ...] = ()
    placing: tuple[float, ...] = ()
    rss: int = 0
    descriptors: int | None = None
    tasks: int = 0


class OffersMade(_Message, frozen=True, kw_only=True):
    """What came of the offers that ended since the last such report, each counted once.

    `ms`: of each that was accepted, from when it was due. `untimed`: accepted ones that were judged in full,
    of which our own time is a part. `failures`: how many failed of each failure.
    """

    at: float
    ms: tuple[float, ...] = ()
    untimed: int = 0
    failures: Mapping[str, int] = {}


class OffersOver(_Message, frozen=True, kw_only=True):
    """After `Rate(0)`: every offer ended and was told of. `left`: why calls were not released, how many."""

    left: Mapping[str, int] = {}


Report = Ready | Refused | StageDone | CallMade | GeneratorMeasured | OffersMade | OffersOver

_encoder = msgspec.json.Encoder()
_instructions: msgspec.json.Decoder[Instruction] = msgspec.json.Decoder(Instruction)
_reports: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)


def line(message: _Message) -> bytes:
    """The message as a line."""
    return _encoder.encode(message) + b"\n"


def read_instruction(text: bytes) -> Instruction:
    """Raises msgspec.DecodeError for what is none."""
    return _instructions.decode(text)


def read_report(text: bytes) -> Report:
    """Raises msgspec.DecodeError for what is none."""
    return _reports.decode(text)
