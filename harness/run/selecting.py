"""Which requirements a run is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.config.option import blaming
from harness.requirements.model import Requirement
from harness.requirements.registry import REGISTRY


def selected_requirements(values: Mapping[str, Any]) -> Sequence[Requirement]:
    """Those that --requirement and --area leave in. Raises UsageError that names the option."""
    for each in values["requirement"]:
        with blaming("requirement"):
            REGISTRY.get(each)
    with blaming("area"):
        return REGISTRY.select(ids=values["requirement"], areas=values["area"])


def leaves_in(values: Mapping[str, Any], requirement: Requirement) -> bool:
    """Whether --requirement and --area do, of one that may have been declared since they were read."""
    ids, areas = values["requirement"], set(values["area"])
    return (
        not (ids or areas) or requirement.id in ids or bool(areas & {requirement.area, *requirement.also_in})
    )
