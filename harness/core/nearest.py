"""What a name that is none may have been meant to be: said alike wherever a name is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

LIKE = 0.6  # of 1: less like, and it is another word
AS_LIKE = 0.1  # behind the nearest: one that is nearly as near may have been meant as well
MOST = 2


def near(name: str, names: Iterable[str]) -> list[str]:
    """Those of the names that it is most like, whatever their case; none where it is like none."""
    meant_by = {known: _likeness(name, known) for known in names}
    best = max(meant_by.values(), default=0.0)
    found = [k for k, how in meant_by.items() if how >= max(LIKE, best - AS_LIKE)]
    return sorted(found, key=lambda known: -meant_by[known])[:MOST]


def meant(name: str, names: Iterable[str]) -> str:
    """What to do about it: `did you mean json?`, or, where it is like none, all that there are."""
    listed = list(names)
    found = near(name, listed)
    return f"did you mean {' or '.join(found)}?" if found else f"choose one of {', '.join(listed)}"


def _likeness(one: str, other: str) -> float:
    """Of 1; 0 where their lengths alone say that it is less than `LIKE`, as of a megabyte and a name."""
    matcher = SequenceMatcher(None, one.strip("- ").lower(), other.strip("-").lower())
    return matcher.ratio() if matcher.real_quick_ratio() >= LIKE else 0.0
