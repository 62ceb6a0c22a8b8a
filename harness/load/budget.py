"""What a load test may cost: held before a call is placed, since a bill cannot be taken back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Budget:
    """USD for this process's calls; None for no limit.

    Until a first call has shown what a call costs, one is made at a time; from then on each open call is
    counted as the dearest one so far.
    """

    allowed: float | None = None
    spent: float = 0.0
    dearest: float = 0.0
    _open: int = 0
    _ended: int = 0
    _unpriced: bool = False

    def refusal(self) -> str:
        """Why no further call may be placed; empty where one may."""
        if self.allowed is None:
            return ""
        if self._unpriced:
            return "no price is known for the model, so the budget cannot be held"
        if not self._ended:
            return "" if self.allowed > 0 else f"the budget is {self.allowed:g} USD"
        if self.spent + (self._open + 1) * self.dearest > self.allowed:
            spent = f"{self.spent:.4f} of {self.allowed:g} USD are spent"
            return f"{spent}, and a call costs up to {self.dearest:.4f}"
        return ""

    @property
    def must_wait(self) -> bool:
        """Whether a call must end before the next may be placed."""
        return self.allowed is not None and not self._ended and self._open > 0

    def placed(self) -> None:
        """A call was placed."""
        self._open += 1

    def ended(self, cost_usd: float | None, *, unknown: bool = False) -> None:
        """A call is over. `unknown`: it was cut short or lost, so what it cost is not known."""
        self._open -= 1
        if unknown:
            self.spent += self.dearest
            return
        self._ended += 1
        self._unpriced = self._unpriced or cost_usd is None
        self.spent += cost_usd or 0.0
        self.dearest = max(self.dearest, cost_usd or 0.0)
