from __future__ import annotations

from harness.core.chance import ALPHANUMERIC, letters


def test_each_letter_of_the_alphabet_is_drawn_about_as_often() -> None:
    drawn = letters(100_000, "abcd")
    assert len(drawn) == 100_000
    assert all(24_000 < drawn.count(letter) < 26_000 for letter in "abcd")


def test_no_two_are_alike() -> None:
    assert len({letters(24) for _ in range(1000)}) == 1000
    assert set(letters(5000)) == set(ALPHANUMERIC)
