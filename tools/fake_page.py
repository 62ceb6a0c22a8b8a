"""docs/fake.md: what the fake OpenAI does, on what evidence, and where it stops."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import get_type_hints

from harness.cli.fake_options import flag_of
from harness.fakes.openai.conversation.models import MODELS
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.switches import switches_of
from tests.fakes.recorded import EXPLAINED
from tests.fakes.recorded.shapes import recorded

TEMPLATE = Path(__file__).with_name("fake.md.in")
RECORDED_MODELS = ("gpt-realtime", "gpt-realtime-2.1")


def fake_page() -> str:
    """The page: the template, and the tables that the tests hold every event against."""
    explained = [f"| {explained.what} | {explained.why} |" for explained in EXPLAINED]
    return TEMPLATE.read_text(encoding="utf-8").format(
        kinds=len(recorded()),
        models="\n".join(_models()),
        switches="\n".join(_switches()),
        differences="\n".join(["| sent | evidence |", "|---|---|", *explained]),
    )


def _switches() -> Iterable[str]:
    yield "| option | default | what it does |"
    yield "|---|---|---|"
    for settings in (FakeSettings, ConversationSettings):
        hints = get_type_hints(settings)
        for each, meaning in switches_of(settings):
            yield f"| `{flag_of(each.name, hints[each.name])}` | {_default(each.default)} | {meaning} |"


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`" if value else "none"


def _models() -> Iterable[str]:
    yield "| model | voice | silence | reasons | evidence |"
    yield "|---|---|---|---|---|"
    for name, model in MODELS.items():
        evidence = "recorded" if name in RECORDED_MODELS else "none: as its generation"
        reasons = "yes" if model.reasons else "no"
        yield f"| `{name}` | {model.voice} | {model.silence_duration_ms} ms | {reasons} | {evidence} |"
