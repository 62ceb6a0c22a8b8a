"""What faults there are. Each is one small unit, registered once; all lists and help texts derive from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, cast

from harness.core.errors import UsageError
from harness.core.nearest import near

Stage = Literal[
    "request",
    "offer",
    "upstream",
    "http",
    "answer",
    "ice",
    "dtls",
    "sctp",
    "channel",
    "session",
    "events",
    "vad",
    "response",
    "audio",
    "lifecycle",
    "security",
]
FaultValue = bool | int | float | str

U = TypeVar("U")

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class Fault:
    """One way to misbehave.

    `default` gives the type of its value: True for a fault that is only on or off. `unit` is what carries it
    out, written against the `contract` that hands it out typed.
    """

    name: str
    description: str
    stage: Stage
    unit: object
    contract: Contract[Any]
    default: FaultValue = True
    value_help: str = ""
    choices: tuple[str, ...] = ()  # of its values; empty where any of its type will do

    def value(self, given: object = None) -> FaultValue:
        """`given` in the type of the default, which stands where None is given. Raises UsageError."""
        if given is None:
            return self.default
        try:
            return _converted(given, type(self.default), self.choices)
        except ValueError as error:
            raise UsageError(
                f"fault {self.name} cannot take {given!r}",
                f"give {self.value_help}" if self.value_help else "it is only on or off",
            ) from error


class FaultRegistry:
    """The faults of one party, in the order of registration."""

    def __init__(self, party: str) -> None:
        self.party = party
        self._faults: dict[str, Fault] = {}

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def __contains__(self, name: object) -> bool:
        return name in self._faults

    def add(self, fault: Fault) -> None:
        """Register a fault; a name can be taken only once."""
        if fault.name in self._faults:
            raise ValueError(f"there are two faults named {fault.name}")
        self._faults[fault.name] = fault

    def named(self, name: str) -> Fault:
        """The fault of that name. Raises UsageError with the nearest names."""
        if name in self._faults:
            return self._faults[name]
        found = near(name, self._faults)
        raise UsageError(
            f"the {self.party} has no fault named {name!r}",
            f"did you mean {' or '.join(found)}?" if found else "`harness faults` lists them",
        )

    def parse(self, text: str) -> tuple[Fault, FaultValue]:
        """Read `NAME` or `NAME=VALUE`, as on a command line. Raises UsageError."""
        name, equals, value = text.partition("=")
        found = self.named(name.strip())
        return found, found.value(value.strip() if equals else None)


class Contract(Generic[U]):
    """What the units of some of a party's faults are: registered against it, and found again by it, typed."""

    def __init__(self, registry: FaultRegistry) -> None:
        self._registry = registry

    def fault(
        self,
        name: str,
        description: str,
        *,
        stage: Stage,
        default: FaultValue = True,
        value_help: str = "",
        choices: Iterable[str] = (),
    ) -> Callable[[U], U]:
        """Register what is decorated as the unit of a new fault."""

        def register(unit: U) -> U:
            fault = Fault(name, description, stage, unit, self, default, value_help, tuple(choices))
            self._registry.add(fault)
            return unit

        return register

    def met(self, faults: Iterable[tuple[Fault, FaultValue]]) -> list[tuple[U, FaultValue, str]]:
        """Unit, value and name of those of a call's faults that are written against it."""
        return [
            (cast("U", fault.unit), value, fault.name)
            for fault, value in faults
            if fault.contract is self and value is not False
        ]


def _converted(given: object, kind: type, choices: Sequence[str]) -> FaultValue:
    if choices and given not in choices:
        raise ValueError(given)
    if kind is bool:
        word = str(given).lower()
        if word not in _TRUE + _FALSE:
            raise ValueError(word)
        return word in _TRUE
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ValueError(given)  # noqa: TRY004  (every refusal is one UsageError to the caller)
    if kind is str:
        return str(given)
    number = float(given)
    if number != number or number in (float("inf"), float("-inf")) or number < 0:
        raise ValueError(given)
    if kind is int and number != int(number):
        raise ValueError(given)
    return int(number) if kind is int else number


OPENAI_FAULTS = FaultRegistry("fake OpenAI")
RELAY_FAULTS = FaultRegistry("reference relay")
