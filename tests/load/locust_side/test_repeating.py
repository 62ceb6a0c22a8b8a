from __future__ import annotations

import msgspec

from harness.load.locust_side.repeating import repeat_command


class FakeAsked(msgspec.Struct, kw_only=True):
    """What a program was asked. Its real struct brings Locust, which patches all modules."""

    url: str = ""
    seed: int | None = None
    turns: int = 2
    slos: list[str] = []
    reports: str
    seconds: float = 60.0
    step_seconds: float = 30.0


def test_only_what_differs_from_the_defaults_is_repeated_and_the_seed_always() -> None:
    asked = FakeAsked(reports="r", slos=["failures < 1%"], seconds=90.0, step_seconds=30.0, turns=1)
    assert repeat_command("soak", asked, "", 7) == (
        "harness soak --turns 1 --slo 'failures < 1%' --for 90s --seed 7"
    )


def test_the_target_is_repeated_as_it_was_shown() -> None:
    asked = FakeAsked(reports="r", url="http://relay/?token=secret", step_seconds=2.5)
    command = repeat_command("capacity", asked, "http://relay/?token=[redacted]", 7)
    assert command == "harness capacity 'http://relay/?token=[redacted]' --step-seconds 2.5 --seed 7"
