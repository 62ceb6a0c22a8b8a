"""`harness ice`: each STUN and TURN server by itself, before it is blamed for a call."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from pydantic import SecretStr

from harness.cli.ice_output import as_json, print_lines, print_table
from harness.cli.options import Read
from harness.cli.screen import say
from harness.config.ice import IceConfiguration, IceServer, ice_server, parse_ice_servers
from harness.config.option_values import number
from harness.config.settings import read_settings
from harness.core.errors import UsageError
from harness.core.exit_codes import CONFORMING, VIOLATING
from harness.network.probing import probe_all
from harness.platform.loop import run_loop


@click.command()
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--username", metavar="U", help="for TURN (default: HARNESS_ICE_USERNAME)")
@click.option(
    "--credential", metavar="C", help="for TURN; better HARNESS_ICE_CREDENTIAL, which no shell remembers"
)
@click.option("--realm", metavar="NAME", default="", help="the realm that TURN servers should answer for")
@click.option(
    "--ice-ca",
    "ca_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="an authority (PEM) to trust besides the system's, for turns: and stuns:",
)
@click.option(
    "--within",
    metavar="SECONDS",
    type=Read(number(least=0.1, most=60)),
    default=5.0,
    show_default=True,
    help="what each step is given",
)
@click.option("--json", "json_wanted", is_flag=True, help="print one JSON document")
def ice(
    urls: tuple[str, ...],
    username: str | None,
    credential: str | None,
    realm: str,
    ca_file: Path | None,
    within: float,
    json_wanted: bool,
) -> int:
    """Try STUN and TURN servers, each URL by itself: Binding, Allocate, permission, data through the relay.

    URL is stun:HOST[:PORT], stuns:…, turn:HOST[:PORT][?transport=udp|tcp] or turns:…, or JSON as browsers
    take it. Without any, the servers in HARNESS_ICE_SERVERS are tried. Exit code 0: all work; 1: one does
    not; 2: usage.
    """
    configuration = IceConfiguration(
        servers=_servers(urls, username, credential), ca_file=ca_file or read_settings().ice_ca
    )
    probes = run_loop(
        probe_all(configuration.servers, within=within, realm=realm, ca_file=configuration.ca_file)
    )
    if json_wanted:
        say(json.dumps(as_json(probes), indent=1, ensure_ascii=False))
    elif sys.stdout.isatty():
        print_table(probes)
    else:
        print_lines(probes)
    return CONFORMING if all(probe.works for probe in probes) else VIOLATING


def _servers(urls: tuple[str, ...], username: str | None, credential: str | None) -> tuple[IceServer, ...]:
    said = read_settings()
    name = said.ice_username if username is None else username
    secret = said.ice_credential if credential is None else SecretStr(credential)
    if urls:
        return tuple(server for text in urls for server in ice_server(text, name, secret))
    configured = said.ice_servers.get_secret_value()
    if not configured:
        raise UsageError(
            "there is no server to try", "give stun:HOST or turn:HOST, or set HARNESS_ICE_SERVERS"
        )
    return parse_ice_servers(configured, "HARNESS_ICE_SERVERS")
