"""The run that options ask for: from any front door to the same settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config.ice_options import ice_options
from harness.config.option import Door
from harness.config.options import options_of
from harness.config.page import PageOptions
from harness.config.page_rows import DOORS as PAGE_DOORS
from harness.config.run import RunSettings, run_settings


def settings_of(
    door: Door, values: Mapping[str, Any], *, target: str | None = None, caller: str | None = None
) -> RunSettings:
    """The run that a door's options, as they were read, ask for. Raises UsageError.

    `target` and `caller`: of a door that takes them otherwise than as options.
    """
    asked: dict[str, Any] = {"target": target, "caller": caller}
    asked |= {each.field: values[each.field] for each in options_of(door) if each.of_run}
    ice = ice_options(
        asked.pop("ice_server", ()),
        servers_from=asked.pop("ice_servers_from", None),
        policy=asked.pop("ice_transport_policy", None),
        ca_file=asked.pop("ice_ca", None),
    )
    limits = dict(asked.pop("limits", ()))
    if door in PAGE_DOORS:
        asked["page"] = PageOptions(
            start=values["start"],
            stop=values["stop"] or "",
            microphone=values["microphone"],
            language=values["language"] or "",
            storage_state=values["storage_state"],
        )
    return run_settings(limits=limits, ice=ice, **{k: v for k, v in asked.items() if v is not None})
