"""Finding the edge: climb by steps until something breaks, then halve the distance."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Search:
    """Levels are numbers of calls. Ask `level`, measure, tell `learned`; `done` when nothing is left to ask.

    The edge is known to `precision` calls, or to the part `share` of where it breaks, if that is more. `most`
    is never gone beyond. `doubling`: up to the first break each level is at least twice the one before.
    `twice`: the edge that was found is asked once more, and where it holds now, one above is looked for.
    """

    level: int
    step: int
    most: int
    precision: int = 1
    holds: int = 0  # the highest level that held
    breaks: int | None = None  # the lowest that did not
    done: bool = False
    share: float = 0.0
    doubling: bool = False
    ours: int | None = None  # the lowest level at which we were too slow ourselves
    twice: bool = False
    _broke: list[int] = field(default_factory=list)  # each as often as it did

    def __post_init__(self) -> None:
        self.level = min(self.level, self.most)

    def learned(self, *, held: bool) -> None:
        """What became of `level`; sets the next one, or `done`."""
        if held:
            self.holds = max(self.holds, self.level)
            self._broke = [level for level in self._broke if level > self.level]
        else:
            self._broke.append(self.level)
        self.breaks = min(self._broke, default=None)
        self._go_on()

    def too_many_for_us(self) -> None:
        """At `level` the generator was too slow itself: what holds is looked for below, to a step or less.

        Above, nothing can be learned here; what held below stays learned.
        """
        self.ours = self.level if self.ours is None else min(self.ours, self.level)
        self._go_on()

    def _go_on(self) -> None:
        ends = [end for end in (self.breaks, self.ours) if end is not None]
        if not ends:
            self.done = self.level >= self.most
            step = max(self.step, self.level if self.doubling else 0)
            self.level = min(self.level + step, self.most)
            return
        end = min(ends)
        close = max(self.precision, int(self.share * end))
        precise = close if end == self.breaks else max(close, self.step)
        # Of our own limit it is enough to know something below that holds.
        self.done = end - self.holds <= (precise if self.holds else self.precision)
        self.level = (self.holds + end) // 2
        if self.done and self.twice and end == self.breaks and self._broke.count(end) == 1:
            self.done, self.level = False, end
