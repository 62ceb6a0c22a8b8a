"""The run that options ask for: from any front door to the same settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config.ice_options import ice_options
from harness.config.option import Door
from harness.config.options import options_of
from harness.config.run import RunSettings, run_settings


def settings_of(door: Door, values: Mapping[str, Any], *, target: str | None = None) -> RunSettings:
    """The run that a door's options, as they were read, ask for. Raises UsageError.

    `target`: of a door that takes it otherwise than as an option.
    """
    asked: dict[str, Any] = {"target": target}
    asked |= {each.field: values[each.field] for each in options_of(door) if each.of_run}
    ice = ice_options(
        asked.pop("ice_server", ()),
        servers_from=asked.pop("ice_servers_from", None),
        policy=asked.pop("ice_transport_policy", None),
        ca_file=asked.pop("ice_ca", None),
    )
    limits = dict(asked.pop("limits", ()))
    return run_settings(limits=limits, ice=ice, **{k: v for k, v in asked.items() if v is not None})
