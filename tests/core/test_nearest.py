from __future__ import annotations

from difflib import SequenceMatcher

import pytest

from harness.core.nearest import meant, near


def test_the_nearest_name_is_said_whatever_its_case() -> None:
    assert meant("jsn", ("json", "sdp")) == meant("JSON", ("json", "sdp")) == "did you mean json?"
    assert near("DC opne", ("SDP POST", "DC open")) == ["DC open"]


def test_two_names_are_said_where_either_may_have_been_meant() -> None:
    assert near("timeout", ("timeout_s", "timeouts", "url")) == ["timeouts", "timeout_s"]
    assert near("--dialct", ("--dialect", "--strict")) == ["--dialect"]


def test_where_none_is_like_it_all_are_said() -> None:
    assert meant("???", ("json", "sdp")) == "choose one of json, sdp"
    assert near("", ()) == []


def test_what_is_far_too_long_to_be_meant_is_compared_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte where a name was asked for took half a minute."""
    compared: list[float] = []

    class Counting(SequenceMatcher[str]):
        def ratio(self) -> float:
            compared.append(super().ratio())
            return compared[-1]

    monkeypatch.setattr("harness.core.nearest.SequenceMatcher", Counting)
    assert near("json" * 250_000, ("json", "sdp")) == []
    assert compared == []
    assert near("jsons", ("json", "another-long-name")) == ["json"]
    assert len(compared) == 1
