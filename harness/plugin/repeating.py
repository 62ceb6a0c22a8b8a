"""The options with which pytest makes a run's calls again: what a report's commands end in."""

from __future__ import annotations

import argparse

from harness.config.run import RunSettings
from harness.config.target import Target

# Our options by their names in pytest's namespace. `target` and `seed` are repeated as they were understood.
REPEATED = {
    "config": "--config",
    "dialect": "--dialect",
    "origin": "--origin",
    "auth": "--auth",
    "offer": "--offer",
    "caller": "--caller",
    "limits": "--limit",
    "fake_openai": "--fake-openai",
    "ice_server": "--ice-server",
    "ice_servers_from": "--ice-servers-from",
    "ice_transport_policy": "--ice-transport-policy",
    "ice_ca": "--ice-ca",
    "impairment": "--impairment",
}
# Flags, which take no value.
FLAGS = {"silent": "--silent"}
# Which calls and requirements, how many at once, where to and against what: who repeats decides anew.
NOT_REPEATED = frozenset(
    {"reports", "concurrency", "requirement", "area", "baseline", "fail_on_regression", "history"}
)


def repeat_options(option: argparse.Namespace, settings: RunSettings) -> tuple[str, ...]:
    """Every option that says what is called and how; URLs without the secrets of their queries."""
    target = settings.target
    found = [] if target is None else ["--target", target.name or target.shown_url]
    found += [spelled for name, spelled in FLAGS.items() if getattr(option, name)]
    for name, spelled in REPEATED.items():
        value = getattr(option, name)
        for each in value if isinstance(value, list) else [value] if value else []:
            found += [spelled, _shown(str(each))]
    return (*found, *(["--strict"] if settings.strict else []), "--seed", str(settings.seed))


def _shown(value: str) -> str:
    return Target(value).shown_url if value.startswith(("http://", "https://")) else value
