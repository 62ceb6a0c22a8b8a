"""An answer in its parts, and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Mutation = tuple[str, str]  # its name, and the answer
Rule = Callable[[str], Iterator[Mutation]]

END = "\r\n"
PLACES = ("session", "audio", "data")


@dataclass(frozen=True)
class Parts:
    """An answer as its session's lines and those of its sections, each without its end."""

    session: tuple[str, ...]
    sections: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, text: str) -> Parts:
        lines = text.split(END)[:-1]
        starts = [n for n, line in enumerate(lines) if line.startswith("m=")]
        ends = [*starts[1:], len(lines)]
        parts = tuple(tuple(lines[s:e]) for s, e in zip(starts, ends, strict=True))
        return cls(tuple(lines[: starts[0]]), parts)

    @property
    def all(self) -> tuple[tuple[str, ...], ...]:
        return (self.session, *self.sections)

    def having(self, place: int, lines: Sequence[str]) -> str:
        """The answer with other lines in one place: 0 is the session, 1 the first section."""
        return written(*(lines if n == place else each for n, each in enumerate(self.all)))


def written(*parts: Sequence[str]) -> str:
    return "".join(line + END for part in parts for line in part)
