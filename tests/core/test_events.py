import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.events import ClientEvent, Event, ServerEvent, StateChanged, kebab
from tests.core.arbitrary import KINDS, json_values, texts


def test_every_kind_of_event_can_be_read_back_from_json_lines() -> None:
    def descendants(kind: type[Event]) -> set[type[Event]]:
        return {kind}.union(*map(descendants, kind.__subclasses__()))

    ours = {kind for kind in descendants(Event) if kind.__module__.startswith("harness.core.")}
    assert set(KINDS) == ours - {Event}


def test_kinds_are_named_in_kebab_case_without_repetition() -> None:
    tags = [kind.__struct_config__.tag for kind in KINDS]
    assert len(set(tags)) == len(KINDS)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", str(tag)) for tag in tags)
    assert kebab("ServerEvent") == "server-event"
    assert kebab("Packet") == "packet"


def test_an_event_does_not_change() -> None:
    assert all(kind.__struct_config__.frozen for kind in KINDS)
    event = ServerEvent(at=0.0, event={})
    with pytest.raises(AttributeError, match="immutable"):
        event.at = 1.0  # type: ignore[misc]  # what must be refused


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__struct_config__.tag))
def test_every_event_is_the_callers_view_unless_it_says_otherwise(kind: type[Event]) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    assert fields["side"].default == "caller"
    assert fields["at"].required


@pytest.mark.parametrize("kind", [ClientEvent, ServerEvent])
@settings(max_examples=20)
@given(type_=texts, rest=st.dictionaries(texts, json_values, max_size=2))
def test_the_type_is_the_one_on_the_wire(
    kind: type[ClientEvent | ServerEvent], type_: str, rest: dict[str, object]
) -> None:
    assert kind(at=0.0, event=rest | {"type": type_}).type == type_


@pytest.mark.parametrize("event", [{}, {"typ": "response.done"}])
def test_an_event_without_a_type_has_the_empty_type(event: dict[str, object]) -> None:
    assert ServerEvent(at=0.0, event=event).type == ClientEvent(at=0.0, event=event).type == ""


def test_a_type_that_is_no_text_is_still_shown() -> None:
    assert ServerEvent(at=0.0, event={"type": 7}).type == "7"


def test_a_message_that_is_no_json_object_has_no_type() -> None:
    assert ServerEvent(at=0.0, event=None, raw="hello").type == ""


def test_an_unknown_layer_is_refused_when_it_is_read() -> None:
    line = b'{"kind":"state-changed","at":0,"layer":"tcp","state":"connected"}'
    with pytest.raises(msgspec.ValidationError, match="tcp"):
        msgspec.json.decode(line, type=StateChanged)
