"""The command that makes a load run again: to copy into a shell."""

from __future__ import annotations

import shlex

import msgspec

# Fields whose options are called otherwise.
SPELLED = {"limits": "limit", "slos": "slo", "seconds": "for"}


def repeat_command(name: str, asked: msgspec.Struct, target: str, seed: int) -> str:
    """`harness NAME …` with what differs from the defaults. `target`: empty for the embedded pair."""
    words = ["harness", name, *([target] if target else [])]
    for field in msgspec.structs.fields(asked):
        value = getattr(asked, field.name)
        if field.name in ("url", "seed", "reports") or value == field.default or value in ([], None):
            continue
        option = "--" + SPELLED.get(field.name, field.name).replace("_", "-")
        for each in value if isinstance(value, list) else [value]:
            text = f"{each:g}" if isinstance(each, float) else str(each)
            words += [option, f"{each:.0f}s" if field.name == "seconds" else text]
    return shlex.join([*words, "--seed", str(seed)])
