from __future__ import annotations

from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from openai.types.realtime import audio_transcription, realtime_session_create_request

from harness.core.models import KNOWN_ON, SHUT_DOWNS, day_of, shut_down_of


def test_a_model_ends_on_its_day_and_not_before() -> None:
    end = shut_down_of("gpt-realtime")
    assert end is not None
    assert end.days_left(date(2026, 11, 26)) == 55
    assert end.days_left(date(2027, 1, 19)) == 1
    assert end.days_left(date(2027, 1, 20)) == 0
    assert end.told(date(2026, 11, 26)).startswith(
        "gpt-realtime ends on 2027-01-20, in 55 days (openai-python"
    )
    assert end.told(date(2027, 1, 20)).startswith("gpt-realtime was shut down on 2027-01-20")


@pytest.mark.parametrize("model", ["gpt-realtime-2.1", "gpt-realtime-1.5", "gpt-realtime-2", "", "my-own"])
def test_a_model_of_which_nothing_is_announced_has_no_end(model: str) -> None:
    assert shut_down_of(model) is None


def test_every_snapshot_of_a_preview_went_with_it() -> None:
    end = shut_down_of("gpt-4o-realtime-preview-2024-10-01")
    assert end is not None
    assert (end.model, end.on) == ("gpt-4o-realtime-preview-2024-10-01", date(2026, 5, 7))
    mini = shut_down_of("gpt-4o-mini-realtime-preview-2024-12-17")
    assert mini is not None
    assert mini.instead == "gpt-realtime-2.1-mini"


def test_what_is_recommended_instead_does_not_end_itself() -> None:
    assert [end.model for end in SHUT_DOWNS.values() if shut_down_of(end.instead)] == []


@pytest.mark.parametrize("module", [realtime_session_create_request, audio_transcription])
def test_the_dates_are_those_of_the_package_that_is_installed(module: ModuleType) -> None:
    """A newer package may know more: then the table is to be read anew."""
    text = Path(str(module.__file__)).read_text(encoding="utf-8").replace("\n      ", " ")
    ours = "session" if module is realtime_session_create_request else "AudioTranscription"
    listed = [end for end in SHUT_DOWNS.values() if f"docstring of {ours}" in end.source.replace("the ", "")]
    assert listed
    for end in listed:
        assert f'"{end.model}"' in text
        assert f"shutdown date: {end.on}" in text


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2027-01-19T23:59:59.000000+00:00", date(2027, 1, 19)),
        ("2026-01-01", date(2026, 1, 1)),
        ("", KNOWN_ON),
        ("yesterday", KNOWN_ON),
    ],
)
def test_the_day_of_a_call_is_that_of_its_beginning(moment: str, day: date) -> None:
    assert day_of(moment) == day
