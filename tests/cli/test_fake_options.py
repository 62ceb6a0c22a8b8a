"""Every switch of the fake's settings is an option, and what it is given arrives in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import pytest

from harness.cli.fake_options import fake_options, switched
from harness.core.errors import UsageError
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.switches import switches_of


def given(arguments: Sequence[str]) -> tuple[dict[str, Any], ConversationSettings]:
    @click.command()
    @fake_options
    def command(**switches: Any) -> tuple[dict[str, Any], ConversationSettings]:
        return switched(switches)

    made: tuple[dict[str, Any], ConversationSettings] = command.main(arguments, standalone_mode=False)
    return made


def settings_given(arguments: Sequence[str]) -> FakeSettings:
    own, conversation = given(arguments)
    return FakeSettings(**own, conversation=conversation)


def test_without_options_the_settings_are_the_defaults() -> None:
    assert settings_given([]) == FakeSettings()


def test_what_is_given_arrives_in_the_type_of_its_field() -> None:
    arguments = ["--answer-media-type", "application/sdp", "--refused-model", "a", "--refused-model", "b"]
    arguments += ["--unknown-model-status", "403", "--ice-patience", "off", "--no-idle-audio"]
    arguments += ["--refuse-project-key-on-raw-sdp", "--sideband-waits-for-media", "--always-clears"]
    assert settings_given([*arguments, "--reply-delay-ms", "5", "--vad", "webrtc"]) == FakeSettings(
        answer_media_type="application/sdp",
        refused_models=frozenset({"a", "b"}),
        unknown_model_status=403,
        ice_patience=None,
        idle_audio=False,
        refuse_project_key_on_raw_sdp=True,
        sideband_waits_for_media=True,
        conversation=ConversationSettings(always_clears=True, reply_delay_ms=5),
        vad="webrtc",
    )


def test_any_unknown_model_may_be_taken() -> None:
    own, _ = given(["--unknown-model-status", "off"])
    assert own["unknown_model_status"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["--unknown-model-status", "500"],
        ["--vad", "human"],
        ["--ice-patience", "nan"],
        ["--reply-delay-ms", "-1"],
        ["--session-seconds", "inf"],
        ["--answer-media-type", "sdp"],
        ["--answer-media-type", "a/b\r\nX-Evil: 1"],
        ["--refused-model", " "],
    ],
    ids=str,
)
def test_a_value_that_cannot_be_used_is_one_message(arguments: list[str]) -> None:
    with pytest.raises((click.UsageError, UsageError)) as refused:
        settings_given(arguments)
    told = refused.value
    assert "\n" not in (told.message if isinstance(told, click.UsageError) else str(told))


def test_every_switch_says_what_it_is_for() -> None:
    for settings in (FakeSettings, ConversationSettings):
        for field, meaning in switches_of(settings):
            assert len(meaning) > 10, field.name
