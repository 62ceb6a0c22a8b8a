"""The options with which pytest makes a run's calls again: what a report's commands end in."""

from __future__ import annotations

import argparse

from harness.config.run import RunSettings

# Our options by their names in pytest's namespace. `target` and `seed` are repeated as they were understood.
REPEATED = {
    "config": "--config",
    "dialect": "--dialect",
    "origin": "--origin",
    "auth": "--auth",
    "limits": "--limit",
    "fake_openai": "--fake-openai",
    "impairment": "--impairment",
}
# Which calls and requirements, how many at once and where to: the one who repeats decides anew.
NOT_REPEATED = frozenset({"reports", "concurrency", "requirement", "area"})


def repeat_options(option: argparse.Namespace, settings: RunSettings) -> tuple[str, ...]:
    """Every option that says what is called and how; a target without the secrets of its query."""
    target = settings.target
    found = [] if target is None else ["--target", target.name or target.shown_url]
    for name, spelled in REPEATED.items():
        value = getattr(option, name)
        for each in value if isinstance(value, list) else [value] if value else []:
            found += [spelled, str(each)]
    return (*found, *(["--strict"] if settings.strict else []), "--seed", str(settings.seed))
