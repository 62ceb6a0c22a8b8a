"""The options that say which relay is meant, and how it is spoken to: as `pytest scenarios/` has them."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from harness.config.callers import CALLER_HELP
from harness.config.ice_options import ice_options
from harness.config.offers import OFFER_HELP
from harness.config.run import RunSettings, run_settings
from harness.core.limits import parse_limits

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="the file that names targets (default: harness.toml here or in a folder above)",
    ),
    click.option("--dialect", metavar="NAME", help="how the target wraps offer and answer (default: found)"),
    click.option("--origin", metavar="ORIGIN", help="the web page's origin: sent as a browser would"),
    click.option("--offer", metavar="SHAPE", help=f"{OFFER_HELP} (default: chromium)"),
    click.option("--caller", metavar="KIND", help=f"{CALLER_HELP} (default: as the target's URL asks for)"),
    click.option(
        "--fake-openai",
        metavar="HOST:PORT",
        help="the harness's fake that the target's OpenAI base URL points at: both ends are seen",
    ),
    click.option(
        "--silent",
        is_flag=True,
        help="the target is not meant to be heard (text only, or it answers nobody): nothing need be audible",
    ),
    click.option(
        "--limit",
        "limits",
        metavar="NAME=VALUE",
        multiple=True,
        help="what the call is judged by, such as latency_ms=1500; may be repeated",
    ),
    click.option(
        "--ice-server",
        metavar="URL",
        multiple=True,
        help="stun:HOST:PORT, turn:HOST:PORT?transport=udp|tcp or turns:HOST:PORT; may be repeated; "
        "the credentials are in HARNESS_ICE_USERNAME and HARNESS_ICE_CREDENTIAL",
    ),
    click.option(
        "--ice-servers-from",
        metavar="URL",
        help="fetch the ICE servers from here, or from this path on the target",
    ),
    click.option(
        "--ice-transport-policy",
        metavar="all|relay",
        help="relay: use relayed candidates only (default: all)",
    ),
    click.option(
        "--ice-ca",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="an authority (PEM) that turns: servers may be signed by, besides the system's",
    ),
    click.option(
        "--impairment",
        metavar="NAME",
        default="",
        help="give the call a bad network, at its own sockets: wifi-good, 4g, 3g, train or hotel",
    ),
    click.option("--seed", type=int, help="repeats a run's choices (default: a new one)"),
)


def target_options(command: F) -> F:
    """Add them to a command; what they were given goes to `settings_of`."""
    return reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


def settings_of(
    target: str | None,
    *,
    limits: tuple[str, ...],
    ice_server: tuple[str, ...],
    ice_servers_from: str | None,
    ice_transport_policy: str | None,
    ice_ca: Path | None,
    **options: Any,
) -> RunSettings:
    """The run that a command's options ask for. Raises UsageError."""
    ice = ice_options(ice_server, servers_from=ice_servers_from, policy=ice_transport_policy, ca_file=ice_ca)
    return run_settings(target=target, limits=parse_limits(limits), ice=ice, **options)
