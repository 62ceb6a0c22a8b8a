"""The numbers that calls are judged against. `CallStarted.limits` carries those that differ from here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.core.nearest import meant


@dataclass(frozen=True)
class Limit:
    """A number with its unit; no default means that nothing is enforced until one is configured."""

    name: str
    default: float | None
    unit: str
    meaning: str


LIMITS: dict[str, Limit] = {
    limit.name: limit
    for limit in (
        Limit("answer_s", 2.0, "s", "from the offer's POST to its answer"),
        Limit("gathering_s", 2.0, "s", "gathering of our own ICE candidates"),
        Limit("channel_s", 5.0, "s", "from the answer to an open data channel"),
        Limit(
            "session_s",
            5.0,
            "s",
            "from the open channel to session.created; from session.update to its reply",
        ),
        Limit("response_s", 5.0, "s", "from the end of a turn to response.created, and between its events"),
        Limit("boundary_ms", 150.0, "ms", "start and end of detected speech against the fixture's truth"),
        Limit("latency_ms", 3000.0, "ms", "from the end of speech to the first audible reply"),
        Limit("barge_in_ms", 1000.0, "ms", "from the detected interruption to silence"),
        Limit("loss_percent", 2.0, "%", "RTP packets lost on the way to the caller"),
        Limit("jitter_ms", 30.0, "ms", "interarrival jitter (RFC 3550, section 6.4.1)"),
        Limit("gap_ms", 200.0, "ms", "the longest stall inside a reply"),
        Limit("clipped_percent", 1.0, "%", "samples of a reply at full scale"),
        Limit("stoi", 0.75, "", "intelligibility of what was heard against what was played, 0 to 1"),
        Limit("wer_percent", None, "%", "words of the caller's that the transcript has otherwise"),
        Limit("token_lifetime_s", 900.0, "s", "how long an ephemeral key may be used to begin a call"),
        Limit("release_s", 10.0, "s", "from hang-up to the call's end at the upstream"),
        Limit("pong_s", 1.0, "s", "from a ping on a WebSocket to its pong: how far the relay reads behind"),
        Limit("gateway_delay_ms", None, "ms", "what a gateway may add to audio in either direction"),
        Limit("ping_s", 45.0, "s", "how long a WebSocket may last without a ping from the relay"),
        Limit("recover_s", 10.0, "s", "from a lost caller's first new attempt to its next session.created"),
        Limit(
            "lateness_p99_ms",
            40.0,
            "ms",
            "99th percentile of our own sender against its deadlines, and the fake's",
        ),
        Limit("lateness_max_ms", 150.0, "ms", "our own sender's worst delay, and the fake's"),
        Limit(
            "stalled_s",
            1.0,
            "s",
            "how long our own end, or the fake, may stand still; beyond, what came too late is inconclusive",
        ),
        Limit("calls_per_caller", None, "calls", "how many calls one caller may have at once"),
        Limit("longest_call_s", None, "s", "after how long the target itself ends a call"),
        Limit("cost_per_call_usd", None, "USD", "what one call may cost"),
        Limit("cost_per_run_usd", None, "USD", "what all calls of a run may cost"),
        Limit(
            "usage_difference_percent",
            None,
            "%",
            "between the target's usage endpoint and what the responses say",
        ),
    )
}

# What one might write for a limit that has no default, by its unit.
EXAMPLES = {"%": 10, "ms": 200, "s": 600, "calls": 1, "USD": 0.5}


def limit(overrides: Mapping[str, float], name: str) -> float:
    """The value in force of a limit that has a default."""
    value = optional_limit(overrides, name)
    if value is None:
        raise KeyError(f"the limit {name} has no default; ask optional_limit")
    return value


def optional_limit(overrides: Mapping[str, float], name: str) -> float | None:
    """The value in force, or None where the limit is not enforced."""
    return overrides.get(name, LIMITS[name].default)


def check_limits(names: Iterable[str]) -> None:
    """Raises UsageError for a name that is no limit, with near matches."""
    for name in names:
        if name not in LIMITS:
            raise UsageError(f"there is no limit {name!r}", meant(name, LIMITS))


def parse_limit(text: str) -> tuple[str, float]:
    """Read `NAME=VALUE`, as on a command line. Raises UsageError."""
    name, _, value = (part.strip() for part in text.partition("="))
    check_limits([name])
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        known = LIMITS[name]
        such_as = EXAMPLES[known.unit] if known.default is None else known.default
        raise UsageError(
            f"{text!r} gives {name} no number", f"write {name}={such_as:g} (unit: {known.unit or 'none'})"
        )
    return name, number
