"""What `harness capacity` and `harness soak` are asked for, as their programs get it."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.config.option_texts import in_words, read_options
from harness.config.options import options_of


@dataclass(frozen=True)
class Asked:
    """What `harness capacity` or `harness soak` is asked for: one JSON object on its command line.

    `texts`: its options as they were given, by field; `values`: as they were understood.
    """

    program: Literal["capacity", "soak"]
    url: str
    texts: Mapping[str, Any]
    values: Mapping[str, Any]

    @classmethod
    def read(cls, program: Literal["capacity", "soak"], argument: str) -> Asked:
        """Raises UsageError for an option that cannot be used."""
        found = json.loads(argument)
        return cls(program, found["url"], found["texts"], read_options(program, found["texts"]))

    def as_locust(self) -> Namespace:
        """Locust's options, as if they had been given so: the shared ones, with this program's defaults."""
        shared = {each.field: each for each in options_of("locust") if self.program in each.doors}
        defaults = {field: each.default_at(self.program) or None for field, each in shared.items()}
        texts = {field: said for field, said in self.texts.items() if field in shared}
        return Namespace(**defaults | texts, host=self.url or None, headless=False)

    def again(self, target: str, seed: int) -> str:
        """The command that makes the run again: to copy into a shell. `target`: as it may be shown."""
        words = ["harness", self.program, *([target] if self.url else [])]
        return shlex.join([*words, *in_words(self.program, self.texts), "--seed", str(seed)])
