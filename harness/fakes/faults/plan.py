"""Which faults the next calls meet: all of them, the next N, or the one call of a given ufrag."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.core.errors import UsageError
from harness.fakes.faults.registry import Fault, FaultRegistry, FaultValue


@dataclass(frozen=True)
class PlannedFault:
    """A fault that waits for calls. `calls` None: until it is removed.

    `ufrag`: for that call only; with a * at its end, for every call whose name begins so.
    """

    fault: Fault
    value: FaultValue
    calls: int | None = None
    ufrag: str | None = None

    @property
    def of_several(self) -> bool:
        """Whether it is meant for more than one call."""
        return self.ufrag is None or self.ufrag.endswith("*")

    def meets(self, ufrag: str | None) -> bool:
        """Whether it is meant for the call of this name."""
        if self.ufrag is None or self.ufrag == ufrag:
            return True
        return ufrag is not None and self.of_several and ufrag.startswith(self.ufrag[:-1])


class CallFaults:
    """The faults that one call meets, asked by name."""

    def __init__(self, faults: Mapping[str, tuple[Fault, FaultValue]] | None = None, seed: str = "") -> None:
        self._faults = dict(faults or {})
        self._seed = seed

    def __bool__(self) -> bool:
        return bool(self._faults)

    def __contains__(self, name: object) -> bool:
        return name in self._faults

    def __iter__(self) -> Iterator[tuple[Fault, FaultValue]]:
        return iter(self._faults.values())

    def get(self, name: str) -> FaultValue | None:
        """The fault's value; None where this call does not meet it."""
        planned = self._faults.get(name)
        return planned[1] if planned else None

    def random(self, name: str) -> random.Random:
        """The fault's own source of chance in this call."""
        return random.Random(f"{self._seed}/{name}")  # noqa: S311  (replayable on purpose)

    @property
    def seed(self) -> str:
        """Where their chance comes from."""
        return self._seed

    def values(self) -> dict[str, FaultValue]:
        """Name → value: for records."""
        return {fault.name: value for fault, value in self}


class FaultPlan:
    """Faults waiting for calls. Not thread-safe: one event loop owns it."""

    def __init__(self, registry: FaultRegistry, *, seed: int = 0, faults: Iterable[str] = ()) -> None:
        """`faults` are texts `NAME` or `NAME=VALUE`. Raises UsageError."""
        self.registry = registry
        self.seed = seed
        self._planned: list[PlannedFault] = []
        self._calls = 0
        for text in faults:
            fault, value = registry.parse(text)
            self.add(fault.name, value)

    def __iter__(self) -> Iterator[PlannedFault]:
        return iter(self._planned)

    def add(
        self, name: str, value: object = None, *, calls: int | None = None, ufrag: str | None = None
    ) -> PlannedFault:
        """Plan a fault; one of the same name and ufrag is replaced. Raises UsageError."""
        fault = self.registry.named(name)
        if calls is not None and (isinstance(calls, bool) or calls < 1):
            raise UsageError(
                f"fault {name} cannot hit {calls} calls", "give a number of calls from 1, or none"
            )
        planned = PlannedFault(fault, fault.value(value), calls, ufrag)
        self.remove(name, ufrag=ufrag)
        self._planned.append(planned)
        return planned

    def remove(self, name: str, *, ufrag: str | None = None) -> bool:
        """Take a planned fault back; False where there was none."""
        kept = [p for p in self._planned if (p.fault.name, p.ufrag) != (name, ufrag)]
        removed = len(kept) < len(self._planned)
        self._planned = kept
        return removed

    def clear(self) -> None:
        """Behave from now on."""
        self._planned.clear()

    def take(self, ufrag: str | None) -> CallFaults:
        """The faults of a new call, counted down; ask once per call.

        A fault meant for this call outranks one for all, so that its value `off` exempts the call.
        """
        met = [p for p in self._planned if p.meets(ufrag)]
        met.sort(key=lambda planned: planned.ufrag is not None)
        self._planned = [left for p in self._planned if (left := _counted(p) if p in met else p)]
        self._calls += 1
        merged = {p.fault.name: p for p in met}
        faults = {name: (p.fault, p.value) for name, p in merged.items() if p.value is not False}
        return CallFaults(faults, seed=f"{self.seed}/{self._calls}")


def _counted(planned: PlannedFault) -> PlannedFault | None:
    """What is left of a planned fault after one more call; a fault for one call is over with it."""
    if planned.calls is None:
        return planned if planned.of_several else None
    if planned.calls == 1:
        return None
    return PlannedFault(planned.fault, planned.value, planned.calls - 1, planned.ufrag)
