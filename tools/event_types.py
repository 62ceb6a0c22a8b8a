"""Write `harness/core/event_types.json` anew from the openai package: `python -m tools.event_types`.

The fields of OpenAI's events stand in our package, so that no run waits for a client library that it does not
use. A test holds the table against the package that is installed.
"""

from __future__ import annotations

import json
import types
import typing
from importlib.metadata import version
from pathlib import Path
from typing import Any

from openai.types.live.client_event import ClientEvent as LiveClientEvent
from openai.types.live.session_config import SessionConfig as LiveSessionConfig
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel

TABLE = Path(__file__).parents[1] / "harness/core/event_types.json"
SCALARS = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    type(None): "null",
    object: "any",
    Any: "any",
}

# As harness/core/event_types.py describes it.
Shape = str | dict[str, Any]


class Table:
    """Objects by name, each written once."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self._names: dict[type[BaseModel], str] = {}

    def shape(self, annotation: Any) -> Shape:
        """How a value of this annotation looks. Raises TypeError for a kind that the table does not know."""
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if annotation in SCALARS:
            return SCALARS[annotation]
        if origin is typing.Annotated:
            return self.shape(arguments[0])
        if origin in (typing.Union, types.UnionType):
            return {"either": [self.shape(each) for each in arguments]}
        if origin is typing.Literal:
            # typing keeps one of two that differ by order alone, whichever was written first.
            return {"one_of": sorted(arguments, key=str)}
        if origin is list:
            return {"list": self.shape(arguments[0])}
        if origin is dict:
            return {"dict": self.shape(arguments[1])}
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return {"object": self.name(annotation)}
        raise TypeError(f"{annotation} has no shape in the table")

    def by_type(self, union: Any) -> dict[str, str]:
        """Event type → its object's name, for a union annotated with its discriminator."""
        classes = typing.get_args(typing.get_args(union)[0])
        return {typing.get_args(c.model_fields["type"].annotation)[0]: self.name(c) for c in classes}

    def name(self, model: type[BaseModel]) -> str:
        """Of the object that is written for a model."""
        if model not in self._names:
            # Some modules have classes of one name.
            taken = sum(name.partition("~")[0] == model.__name__ for name in self._names.values())
            name = self._names[model] = f"{model.__name__}~{taken + 1}" if taken else model.__name__
            self.objects[name] = {}
            for field, info in model.model_fields.items():
                shape = self.shape(info.annotation)
                self.objects[name][info.alias or field] = {"required": shape} if info.is_required() else shape
        return self._names[model]


def table() -> str:
    """The file."""
    found = Table()
    unions = {
        "server": found.by_type(RealtimeServerEvent),
        "client": found.by_type(RealtimeClientEvent),
        "live_client": found.by_type(LiveClientEvent),
    }
    whole = {
        "source": f"openai-python {version('openai')}; written by python -m tools.event_types, not by hand",
        **{name: dict(sorted(union.items())) for name, union in unions.items()},
        "live_session": found.name(LiveSessionConfig),
    }
    head = json.dumps(whole, indent=1)[:-2]
    objects = ",\n".join(f"  {json.dumps(n)}: {json.dumps(f)}" for n, f in sorted(found.objects.items()))
    return f'{head},\n "objects": {{\n{objects}\n }}\n}}\n'


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
