from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.analysis.search import Search


def asked(search: Search, edge: int) -> list[int]:
    """The levels that are measured where so many calls hold."""
    levels = []
    while not search.done:
        levels.append(search.level)
        search.learned(held=search.level <= edge)
    return levels


def test_it_climbs_by_steps_until_something_breaks_and_then_halves_the_distance() -> None:
    search = Search(5, 10, 200)
    assert asked(search, 27) == [5, 15, 25, 35, 30, 27, 28]
    assert (search.holds, search.breaks) == (27, 28)


def test_what_breaks_at_the_start_is_looked_for_below() -> None:
    search = Search(8, 8, 100)
    assert asked(search, 3) == [8, 4, 2, 3]
    assert (search.holds, search.breaks) == (3, 4)


def test_where_nothing_holds_it_ends_with_none() -> None:
    search = Search(8, 8, 100)
    assert asked(search, 0) == [8, 4, 2, 1]
    assert (search.holds, search.breaks) == (0, 1)


def test_it_never_goes_beyond_the_most() -> None:
    search = Search(5, 10, 22)
    assert asked(search, 1000) == [5, 15, 22]
    assert (search.holds, search.breaks) == (22, None)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 300), st.integers(0, 400), st.integers(1, 8))
def test_it_finds_every_edge(start: int, step: int, most: int, edge: int, precision: int) -> None:
    search = Search(start, step, most, precision)
    levels = asked(search, edge)
    assert all(1 <= level <= most for level in levels)
    assert len(levels) == len(set(levels)), "no level is measured twice"
    if edge >= most:
        assert (search.holds, search.breaks) == (most, None)
    else:
        assert search.breaks is not None
        assert search.holds <= edge < search.breaks
        assert search.breaks - search.holds <= precision


@pytest.mark.parametrize("precision", [1, 3])
def test_the_edge_is_known_to_its_precision(precision: int) -> None:
    search = Search(10, 10, 100, precision)
    asked(search, 44)
    assert search.breaks is not None
    assert search.breaks - search.holds <= precision


@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(1, 300),
    st.integers(0, 400),
    st.integers(1, 8),
    st.booleans(),
)
def test_a_hiccup_at_the_edge_is_none(
    start: int, step: int, most: int, edge: int, precision: int, doubling: bool
) -> None:
    """Whatever breaks once, though it holds, in the last step of a search."""
    search = Search(start, step, most, precision, twice=True, doubling=doubling)
    levels: list[int] = []
    while not search.done:
        levels.append(search.level)
        # The first of all levels that would hold has a hiccup.
        hiccup = len([level for level in levels if level <= edge]) == 1 and levels.count(search.level) == 1
        search.learned(held=search.level <= edge and not hiccup)
    assert len(levels) < 700
    assert max(map(levels.count, levels)) <= 2
    assert search.holds <= min(edge, most)
    if search.breaks is not None:
        assert levels.count(search.breaks) == 2
        assert search.breaks - search.holds <= precision


def test_the_edge_is_asked_once_more() -> None:
    search = Search(5, 10, 200, twice=True)
    assert asked(search, 27) == [5, 15, 25, 35, 30, 27, 28, 28]
    assert (search.holds, search.breaks) == (27, 28)


def test_where_the_edge_holds_now_one_above_is_looked_for() -> None:
    search, levels = Search(10, 10, 200, precision=2, twice=True), []
    while not search.done:
        levels.append(search.level)
        search.learned(held=search.level <= 37 and not (search.level == 30 and levels.count(30) == 1))
    assert 36 <= search.holds <= 37
    assert search.breaks in (38, 39)
