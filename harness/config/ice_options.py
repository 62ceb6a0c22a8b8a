"""Which ICE servers a run uses: those of the options, else the target's own, else the environment's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.config.ice import IceConfiguration, ice_server, parse_ice_servers
from harness.config.settings import Settings, read_settings
from harness.config.target import Target


def ice_options(
    servers: Sequence[str] = (),
    *,
    servers_from: str | None = None,
    policy: str | None = None,
    ca_file: Path | None = None,
    environment: Settings | None = None,
) -> IceConfiguration:
    """The values of --ice-server, --ice-servers-from, --ice-transport-policy and --ice-ca. Raises UsageError.

    A TURN URL gets HARNESS_ICE_USERNAME and HARNESS_ICE_CREDENTIAL.
    """
    said = environment or read_settings()
    found = [ice_server(text, said.ice_username, said.ice_credential) for text in servers]
    return IceConfiguration(
        servers=tuple(server for group in found for server in group),
        servers_from=servers_from or "",
        policy=policy or "",
        ca_file=ca_file,
    )


def or_environment(ice: IceConfiguration, own: Target | None, environment: Settings) -> IceConfiguration:
    """With what the environment says where neither the options nor the target's own entry do."""
    others = ice.servers or ice.servers_from or (own and (own.ice_servers or own.ice_servers_from))
    said = environment.ice_servers.get_secret_value()
    return IceConfiguration(
        servers=ice.servers if others or not said else parse_ice_servers(said, "HARNESS_ICE_SERVERS"),
        servers_from=ice.servers_from if others else environment.ice_servers_from,
        policy=ice.policy or ("" if own and own.relay_only else environment.ice_transport_policy),
        ca_file=ice.ca_file or (own.ice_ca if own else None) or environment.ice_ca,
    )


def with_ice(target: Target, ice: IceConfiguration) -> Target:
    """The target with the ICE settings that are given, and its own where none are."""
    given = bool(ice.servers or ice.servers_from)
    return replace(
        target,
        ice_servers=ice.servers if given else target.ice_servers,
        ice_servers_from=ice.servers_from if given else target.ice_servers_from,
        relay_only=ice.policy == "relay" if ice.policy else target.relay_only,
        ice_ca=ice.ca_file or target.ice_ca,
    )
