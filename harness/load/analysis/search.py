"""Finding the edge: climb by steps until something breaks, then halve the distance."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Search:
    """Levels are numbers of calls. Ask `level`, measure, tell `learned`; `done` when nothing is left to ask.

    The edge is known to `precision` calls. `most` is never gone beyond.
    """

    level: int
    step: int
    most: int
    precision: int = 1
    holds: int = 0  # the highest level that held
    breaks: int | None = None  # the lowest that did not
    done: bool = False

    def __post_init__(self) -> None:
        self.level = min(self.level, self.most)

    def learned(self, *, held: bool) -> None:
        """What became of `level`; sets the next one, or `done`."""
        if held:
            self.holds = max(self.holds, self.level)
        else:
            self.breaks = self.level if self.breaks is None else min(self.breaks, self.level)
        if self.breaks is None:
            self.done = self.level >= self.most
            self.level = min(self.level + self.step, self.most)
        else:
            self.done = self.breaks - self.holds <= self.precision
            self.level = (self.holds + self.breaks) // 2
