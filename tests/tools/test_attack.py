"""The standing attack, for a moment: each kind once; and a planted hole of each sort is found."""

from __future__ import annotations

import random

import pytest

from harness.core.redaction import Redactor
from tools.attack import __main__ as attack
from tools.attack.kinds import KINDS, Kind
from tools.attack.memory import Peaks
from tools.attack.values import LONGEST, spoiled_text

QUICK = [
    name for name in KINDS if not name.startswith(("calls", "packets", "ICE servers: their", "load: drift"))
]


@pytest.mark.parametrize("name", QUICK)
def test_a_kind_finds_nothing(name: str) -> None:
    tally = attack._attack([KINDS[name]], 60.0, "test", once=True)
    assert tally.inputs[name] > 0
    assert tally.findings == {}


def test_every_kind_says_what_it_tries() -> None:
    assert all(kind.says.endswith(".") for kind in KINDS.values())


def raises(_rng: random.Random) -> int:
    raise TypeError("of ours")


def hangs(_rng: random.Random) -> int:
    while True:
        pass


@pytest.mark.parametrize(("attempt", "told"), [(raises, "TypeError: of ours"), (hangs, "HungError")])
def test_what_raises_or_hangs_is_found(
    attempt: object, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(attack, "GRACE", 0.1)
    planted = Kind("planted", "Planted.", attempt, 0.1)  # type: ignore[arg-type]  # as registered
    tally = attack._attack([planted], 10.0, "x", once=True)
    assert any(told in found for found in tally.findings["planted"])
    assert "--seed='x'" in capsys.readouterr().err


def takes_memory(_rng: random.Random) -> int:
    return len(bytes(range(256)) * (120 << 12))


def test_what_takes_much_memory_is_found() -> None:
    planted = Kind("planted", "Planted.", takes_memory, 10.0)
    tally = attack._attack([planted], 60.0, "x", once=True)
    assert tally.findings["planted"] == ["took 120 MiB  --once --seed='x'"]


def test_memory_is_told_of_the_kind_that_took_it() -> None:
    peaks = Peaks()
    for name, take in (("heavy", takes_memory), ("light", lambda _: 1), ("heavy", lambda _: 1)):
        peaks.begin()
        take(random.Random())
        peaks.end(name)
    assert peaks.own["light"] < 10 < 119 < peaks.own["heavy"]
    assert peaks.whole["light"] < peaks.whole["heavy"] - 100


def test_no_text_grows_to_more_than_is_worth_reading() -> None:
    """50 times a single line, five times in a row, were gigabytes."""
    rng = random.Random(158504)
    longest = max(len(spoiled_text("x" * 100_000, rng)) for _ in range(500))
    assert 0.5 * LONGEST < longest < 3 * LONGEST


def test_a_sink_that_lets_an_escape_through_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.attack.showing.explain", lambda *_: "\x1b]0;owned\x07")
    tally = attack._attack([KINDS["events: no JSON, deep, large"]], 60.0, "x", once=True)
    assert "raw: " in tally.findings["events: no JSON, deep, large"][0]


def test_a_hole_in_the_redaction_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redactor, "text", lambda _self, value: value)
    tally = attack._attack([KINDS["secrets: in encodings"]], 60.0, "x", once=True)
    assert tally.findings
