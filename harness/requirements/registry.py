"""Where requirements are declared, and found again by id or by area."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from harness.core.callers import View
from harness.core.errors import UsageError
from harness.core.nearest import near
from harness.core.stages import CallStage
from harness.requirements.model import Because, Cause, Condition, F, Level, Requirement, Severity, Source

KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


class Registry:
    """Requirements in the order of their declaration, which is the order of a call: first failure, root.

    `root` is the package whose modules (or subpackages) are the areas; None checks no area. What is declared
    elsewhere, in a repository of one's own, may be in any area, one of its own too.
    """

    def __init__(self, root: str | None = None) -> None:
        self._root = root
        self._by_id: dict[str, Requirement] = {}

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, requirement_id: object) -> bool:
        return requirement_id in self._by_id

    @property
    def areas(self) -> list[str]:
        """Areas in the order of a call."""
        return list(dict.fromkeys(r.area for r in self))

    def requirement(
        self,
        requirement_id: str,
        title: str,
        *,
        stage: CallStage = CallStage.CALL,
        level: Level,
        because: Because,
        severity: Severity,
        source: Source,
        causes: Mapping[str, Cause],
        needs: Iterable[str] = (),
        when: Iterable[Condition] = (),
        over: Literal["call", "calls"] = "call",
        timing: bool = False,
        hits: str = "",
        bears_bad_network: bool = False,
        also_in: Iterable[str] = (),
        sees: Iterable[View] = (),
        by_ear: bool = False,
    ) -> Callable[[F], F]:
        """Declare the decorated function as a requirement.

        Raises ValueError at import for an id that is taken, out of shape or out of place, for a level that
        its reason does not justify, for a need that is not declared before it, and for a cause without words.
        """

        def declare(check: F) -> F:
            self._check_id(requirement_id, check.__module__)
            if level not in because.levels:
                raise ValueError(f"{requirement_id} is no {level}, because {because}")
            for slug, cause in causes.items():
                if not KEBAB.fullmatch(slug):
                    raise ValueError(f"{requirement_id}: the cause {slug!r} is not in kebab-case")
                if not cause.what.strip() or not cause.fix.strip():
                    raise ValueError(f"{requirement_id}: the cause {slug} does not say what and how to fix")
            for need in needs:
                if need not in self._by_id:
                    raise ValueError(f"{requirement_id} needs {need}, which is not declared before it")
            self._by_id[requirement_id] = Requirement(
                id=requirement_id,
                title=title,
                level=level,
                because=because,
                severity=severity,
                source=source,
                causes=dict(causes),
                check=check,
                needs=tuple(self._by_id[need] for need in needs),
                when=tuple(when),
                over=over,
                timing=timing,
                hits=hits,
                bears_bad_network=bears_bad_network,
                also_in=tuple(also_in),
                sees=tuple(sees),
                by_ear=by_ear,
                stage=stage,
                description=inspect.getdoc(check) or "",
            )
            return check

        return declare

    def get(self, requirement_id: str) -> Requirement:
        """The requirement of that id. Raises UsageError with near matches."""
        if requirement_id in self._by_id:
            return self._by_id[requirement_id]
        raise _unknown("requirement", requirement_id, self._by_id)

    def select(self, ids: Iterable[str] = (), areas: Iterable[str] = ()) -> list[Requirement]:
        """Requirements of the given ids or areas, in order; all where nothing is asked for.

        Raises UsageError for an unknown id or area, with near matches.
        """
        wanted_ids = {self.get(i).id for i in ids}
        wanted_areas = set(areas)
        for area in wanted_areas:
            if area not in self.areas:
                raise _unknown("area", area, self.areas)
        if not wanted_ids and not wanted_areas:
            return list(self)
        return [r for r in self if r.id in wanted_ids or wanted_areas & {r.area, *r.also_in}]

    def _check_id(self, requirement_id: str, module: str) -> None:
        area, _, slug = requirement_id.partition(".")
        if not KEBAB.fullmatch(area) or not KEBAB.fullmatch(slug):
            raise ValueError(f"{requirement_id!r} is not area.slug in kebab-case")
        if requirement_id in self._by_id:
            raise ValueError(f"{requirement_id} is declared twice")
        ours = self._root is not None and module.startswith(f"{self._root}.")
        if ours and area != module.removeprefix(f"{self._root}.").partition(".")[0]:
            raise ValueError(f"{requirement_id} is declared in {module}: its area must be its module's name")


def _unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    names = list(known)
    # Its second half may be right and in another area.
    slugs = near(name.partition(".")[2] or name, {n.partition(".")[2] or n for n in names})
    alike = [n for n in names if (n.partition(".")[2] or n) in slugs]
    nearest = " or ".join(near(name, alike) or alike or near(name, names))
    return UsageError(
        f"there is no {what} {name!r}",
        f"did you mean {nearest}?" if nearest else f"`harness catalogue` lists every {what}",
    )


REGISTRY = Registry(root="harness.requirements")
requirement = REGISTRY.requirement
