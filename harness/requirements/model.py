"""The words of the catalogue: what a requirement is, what it can find, and what a verdict says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, TypeVar

from harness.core.callers import View
from harness.core.printable import printable
from harness.core.stages import CallStage
from harness.core.timeline import Timeline


class Level(StrEnum):
    """How binding it is. MUST: see `Because`. SHOULD: inferred or advised. OBSERVE: a number or a fact."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    OBSERVE = "OBSERVE"


class Because(StrEnum):
    """Why a requirement has its level: what a clause demands, or what is lost where it is not kept."""

    CLAUSE = "a clause demands it"
    CALLER = "a caller is lost without it"
    MONEY = "money is lost without it"
    SECRET = "a secret is lost without it"  # noqa: S105  (the word, not one)
    ADVICE = "it is advised or inferred: nobody is lost without it"
    MEASURED = "it is measured, and binds where a limit is configured"

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that it justifies."""
        match self:
            case Because.ADVICE:
                return (Level.SHOULD, Level.OBSERVE)
            case Because.MEASURED:
                return (Level.OBSERVE,)
            case _:
                return (Level.MUST,)


class Severity(StrEnum):
    """What a violation costs the user, in Allure's words."""

    BLOCKER = "blocker"
    CRITICAL = "critical"
    NORMAL = "normal"
    MINOR = "minor"


class Outcome(StrEnum):
    """What became of a requirement on a timeline."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    OBSERVED = "observed"
    BLOCKED = "blocked"
    NOT_APPLICABLE = "not-applicable"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


@dataclass(frozen=True)
class Source:
    """Where a requirement comes from: `name` with its section, `says` what it says there, in a sentence."""

    name: str
    says: str
    url: str = ""


@dataclass(frozen=True)
class Cause:
    """Why a requirement fails: `what` happened, and how to `fix` it.

    `level` is set where this cause is less binding than its requirement, `because` where it binds for another
    reason. `in_time`: it is about what did not come in time, so it means nothing where our own end, or the
    fake behind the relay, stood still meanwhile. `blocks`: what needs the requirement cannot be judged then.
    """

    what: str
    fix: str
    level: Level | None = None
    because: Because | None = None
    in_time: bool = False
    blocks: bool = True


@dataclass(frozen=True)
class Evidence:
    """A quotation from the timeline, with its moment where it has one."""

    at: float | None
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", printable(self.text))

    def __str__(self) -> str:
        return self.text if self.at is None else f"{self.at:.3f} s: {self.text}"


@dataclass(frozen=True)
class Alternative:
    """Another explanation that the evidence does not rule out; the nearer to the front, the likelier.

    `cause` is a declared slug of the same requirement; `fix` follows from it when the verdict is given.
    """

    cause: str
    because: str
    fix: str = ""


@dataclass(frozen=True)
class Violation:
    """The requirement is not met. `cause` is a declared slug; `seen` finishes the cause's sentence.

    `level` is set where this finding binds otherwise than its cause: a limit that the user configured.
    """

    cause: str
    seen: str
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    level: Level | None = None


@dataclass(frozen=True)
class NotApplicable:
    """The call never came to what the requirement is about."""

    reason: str


@dataclass(frozen=True)
class Inconclusive:
    """Too little was seen to tell, or our own machine was too slow.

    `level` is set where not to know binds more than the requirement does: a configured limit must be judged.
    """

    reason: str
    level: Level | None = None


@dataclass(frozen=True)
class Observation:
    """Measured values; nothing to pass or fail. `seen`: what they say, where numbers alone do not."""

    unit: str
    values: tuple[float, ...]
    evidence: tuple[Evidence, ...] = ()
    seen: str = ""


Finding = Violation | NotApplicable | Inconclusive | Observation | None
Check = Callable[[Timeline], Finding]
CallsCheck = Callable[[Sequence[Timeline]], Finding]
F = TypeVar("F", Check, CallsCheck)


@dataclass(frozen=True)
class Condition:
    """When a requirement applies: `text` for the catalogue, `unmet` says why it does not."""

    text: str
    unmet: Callable[[Timeline], NotApplicable | Inconclusive | None]


@dataclass(frozen=True)
class Requirement:
    """One rule of the catalogue. `check` is pure; `over` says whether it takes one call or all of them.

    `timing`: a violation or a number means nothing when our own sender was late. `hits`: whom a violation
    hits, where it takes more than an ordinary call ("every caller whose offer is malformed"); empty: every
    caller whose call shows it. `bears_bad_network`: a network that we impaired excuses a violation only where
    we cut it off. `also_in`: areas beside its own with which it is judged. `sees`: what it
    must see of the call, and not every kind of caller does. `by_ear`: what it judges can be heard, whether or
    not its needs can be judged without OpenAI's events. `stage`: the stage of the call that it is about.
    """

    id: str
    title: str
    level: Level
    because: Because
    severity: Severity
    source: Source
    causes: Mapping[str, Cause]
    check: Check | CallsCheck
    needs: tuple[Requirement, ...] = ()
    when: tuple[Condition, ...] = ()
    over: Literal["call", "calls"] = "call"
    timing: bool = False
    hits: str = ""
    bears_bad_network: bool = False
    also_in: tuple[str, ...] = ()
    sees: tuple[View, ...] = ()
    by_ear: bool = False
    stage: CallStage = CallStage.CALL
    description: str = field(default="", compare=False)

    def is_in_time(self, violation: Violation) -> bool:
        """Whether the violation is about what did not come in time."""
        cause = self.causes.get(violation.cause)
        return cause is not None and cause.in_time

    @cached_property
    def reads_events(self) -> bool:
        """Whether it, or what it needs, reads OpenAI's events: without any there is nothing to judge."""
        return not self.by_ear and ("events" in self.sees or any(need.reads_events for need in self.needs))

    @property
    def area(self) -> str:
        return self.id.partition(".")[0]

    @property
    def slug(self) -> str:
        return self.id.partition(".")[2]

    def __repr__(self) -> str:
        return f"<Requirement {self.id}>"

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(frozen=True)
class Verdict:
    """A requirement's outcome on one call; `call` is empty where it was judged over all of them.

    `root` is the id of the failed requirement that blocks this one. `alternatives` are already in the
    explanation; they are kept apart for reports that rank them.
    """

    id: str
    level: Level
    outcome: Outcome
    cause: str | None = None
    scenario: str = ""
    call: str = ""
    explanation: str = ""
    fix: str = ""
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    observation: Observation | None = None
    root: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "explanation", printable(self.explanation))

    def as_result(self) -> dict[str, Any]:
        """The entry of results.json."""
        return {
            "id": self.id,
            "level": self.level.value,
            "outcome": self.outcome.value,
            "cause": self.cause,
            "scenario": self.scenario,
            "call": self.call,
            "explanation": self.explanation,
            "fix": self.fix,
            "evidence": [str(e) for e in self.evidence],
        }
