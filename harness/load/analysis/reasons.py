"""What a target was at the end of: told apart by what was seen beside the offers' own times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KIB, MIB = 1024, 1024 * 1024

REFUSING = 0.5  # the part of all failures that must be refusals of one kind
BUSY = 0.85  # of a core: a process with one event loop has no more to give
# A request that goes nowhere: so slow, so many times its usual, and this part of what offers were slowed by.
BLOCKED_MS, BLOCKED_TIMES, BLOCKED_PART = 50.0, 5.0, 0.05
# Grown in a step: at least, for each offer, and of what it had.
LEAK_MIB, LEAK_KIB, LEAK_PART = 32.0, 8.0, 0.05
TOO_MANY, UNAVAILABLE = 429, 503
TIMED_OUT = (502, 504)


@dataclass(frozen=True)
class SeenInStep:
    """What was seen in one step.

    `answered`: offers a second. `work_ms`: the median of an offer's time from when it left. `door_ms`: the
    median of a request that goes nowhere (OPTIONS), from when it was due; None where nothing answered it.
    `cpu`: the busiest of the target's processes, as a part of a core; `rss`: bytes of all of them, over
    time; both empty where the target is not on this machine, or not ours to see.
    """

    offered: float
    answered: float
    seconds: float
    offers: int
    work_ms: float | None = None
    door_ms: float | None = None
    statuses: Mapping[int, int] = field(default_factory=dict)
    told_when: Mapping[str, int] = field(default_factory=dict)
    cpu: float | None = None
    rss: tuple[float, ...] = ()
    waiting: int = 0

    def as_json(self) -> dict[str, Any]:
        """For capacity.json."""
        return {
            "offered_per_second": round(self.offered, 1),
            "answered_per_second": round(self.answered, 1),
            "work_ms_p50": _rounded(self.work_ms),
            "door_ms_p50": _rounded(self.door_ms),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "retry_after": dict(self.told_when),
            "target_cpu": _rounded(self.cpu),
            "target_rss": [round(each) for each in (self.rss[:1] + self.rss[-1:])],
            "most_waiting": self.waiting,
        }


@dataclass(frozen=True)
class Reason:
    """`kind`: generator, memory, rate-limiter, cpu, upstream, or unknown."""

    kind: str
    text: str


def leak(seen: SeenInStep) -> str:
    """What the target does not give back of its memory, in words; empty where it does not grow so."""
    third = len(seen.rss) // 3
    if third < 2 or not seen.offers:
        return ""
    parts = [sum(seen.rss[i * third : (i + 1) * third]) / third for i in range(3)]
    grown = seen.rss[-1] - seen.rss[0]
    # In each third alike: what is warming up grows less and less.
    steady = parts[1] - parts[0] > 0 and parts[2] - parts[1] > 0.5 * (parts[1] - parts[0])
    each = grown / seen.offers / KIB
    enough = grown > LEAK_MIB * MIB and each > LEAK_KIB and grown > LEAK_PART * seen.rss[0]
    if not (steady and enough):
        return ""
    return (
        f"its memory grew from {seen.rss[0] / MIB:.0f} to {seen.rss[-1] / MIB:.0f} MiB in "
        f"{seen.seconds:.0f} s, {each:.0f} KiB an offer"
    )


def reason_of(broken: SeenInStep, usual: SeenInStep | None, saturated: str = "") -> Reason:
    """Why it did not hold. `usual`: a step that held, the lowest; None where there is none."""
    if saturated:
        return Reason("generator", f"the generator's own: {saturated}")
    if grown := leak(broken):
        return Reason("memory", f"the target's memory: {grown}")
    if limiter := _limiter(broken):
        return Reason("rate-limiter", limiter)
    slow = _slow_door(broken, usual)
    busy = broken.cpu is not None and broken.cpu >= BUSY
    if slow or busy:
        said = [slow] if slow else []
        if broken.cpu is not None:
            said.append(f"its busiest process used {100 * broken.cpu:.0f} % of a core")
        return Reason("cpu", f"the target's CPU, its event loop was blocked: {', '.join(said)}")
    if broken.door_ms is not None:
        return Reason("upstream", _upstream(broken, usual))
    return Reason("unknown", "what it was at the end of could not be told: it answers no OPTIONS")


def _limiter(seen: SeenInStep) -> str:
    failed = sum(count for status, count in seen.statuses.items() if not 200 <= status < 300)
    told = sum(seen.told_when.values())
    refused = seen.statuses.get(TOO_MANY, 0)
    status = TOO_MANY
    if not refused and told and seen.statuses.get(UNAVAILABLE, 0):
        refused, status = min(told, seen.statuses[UNAVAILABLE]), UNAVAILABLE
    if not failed or refused < REFUSING * failed:
        return ""
    when = next(iter(seen.told_when), "")
    how = f"with Retry-After: {when}" if when else "without Retry-After"
    return (
        f"the target's rate limiter: {refused} times {status} {how}, "
        f"beyond about {seen.answered:.0f} offers a second"
    )


def _slow_door(seen: SeenInStep, usual: SeenInStep | None) -> str:
    if seen.door_ms is None:
        return "a request that goes nowhere (OPTIONS) had no answer" if usual and usual.door_ms else ""
    before = usual.door_ms if usual is not None else None
    if seen.door_ms < max(BLOCKED_MS, BLOCKED_TIMES * (before or 0.0)):
        return ""
    # Where offers alone wait, a busy machine may have slowed the door as well, but not as much.
    grown = (seen.work_ms or 0.0) - ((usual.work_ms or 0.0) if usual is not None else 0.0)
    if seen.door_ms - (before or 0.0) < BLOCKED_PART * grown:
        return ""
    was = "" if before is None else f", {before:.0f} ms before"
    return f"a request that goes nowhere (OPTIONS) took {seen.door_ms:.0f} ms{was}"


def _upstream(seen: SeenInStep, usual: SeenInStep | None) -> str:
    said = (
        f"the target's way upstream (a pool of connections, or the upstream itself): a request that goes "
        f"nowhere took {seen.door_ms:.0f} ms, so its event loop was free"
    )
    timed_out = sum(seen.statuses.get(status, 0) for status in TIMED_OUT)
    if timed_out:
        said += f"; {timed_out} times 502 or 504"
    if usual is not None and usual.work_ms:
        # Little's law: so many were being served at once.
        at_once = seen.answered * usual.work_ms / 1000
        said += f"; about {max(1, round(at_once))} offers at a time, {usual.work_ms:.0f} ms each"
    return said


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
