"""One step of a climb by offers: the offers, those who talked meanwhile, and what was seen of the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.load.analysis.reasons import SeenInStep, leak
from harness.load.analysis.steps import LoadStep


@dataclass(frozen=True)
class ArrivalStep:
    """`offers` is of `rate` offers a second; `talk` of the calls in conversation, where there were any."""

    rate: int
    offers: LoadStep
    seen: SeenInStep
    talk: LoadStep | None = None

    @property
    def outcome(self) -> str:
        """As a LoadStep's. A target whose memory only grows does not hold the rate, fast as it may be."""
        outcomes = [part.outcome for part in self._parts]
        if "saturated" in outcomes:
            return "saturated"
        if "broken" in outcomes or leak(self.seen):
            return "broken"
        return "inconclusive" if "inconclusive" in outcomes else "held"

    def because(self) -> str:
        """Why it did not hold; empty where it did."""
        said = [self.offers.because()]
        if self.talk is not None and (of_talk := self.talk.because()):
            said.append(f"of those who talked, {of_talk}")
        said.append(leak(self.seen) and "its memory grew without end")
        return "; ".join(filter(None, said))

    @property
    def saturated(self) -> str:
        """Why the generator was too slow itself."""
        return next((part.saturated for part in self._parts if part.saturated), "")

    def figures(self) -> str:
        """For a line of progress."""
        return "  talking: ".join(part.figures() for part in self._parts)

    def as_json(self) -> dict[str, Any]:
        """As a LoadStep's, with what is known beside it."""
        whole = self.offers.as_json()
        talk = self.talk.as_json() if self.talk is not None else None
        slos = [*whole["slos"], *(talk["slos"] if talk else [])]
        told = {"outcome": self.outcome, "because": self.because(), "seen": self.seen.as_json()}
        return {**whole, **told, "slos": slos, "talking": talk}

    @property
    def _parts(self) -> list[LoadStep]:
        return [self.offers, *([self.talk] if self.talk is not None else [])]
