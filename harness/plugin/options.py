"""The options of `pytest scenarios/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.callers import CALLER_HELP
from harness.config.offers import OFFER_HELP

DEFAULT_REPORTS = Path("reports/latest")


def is_strict(config: pytest.Config) -> bool:
    """Whether SHOULD requirements fail instead of warning.

    pytest 9 has a --strict of its own, which cannot be declared twice: it is shared, and asked for on the
    command line only, since pytest's ini option of the same name is about something else.
    """
    return "--strict" in config.invocation_params.args


def add_options(parser: pytest.Parser) -> None:
    """Add ours to pytest's own."""
    group = parser.getgroup("harness", "voice relay harness")
    group.addoption(
        "--target",
        metavar="URL|NAME",
        help="the relay under test; without it the embedded relay and fake OpenAI are started",
    )
    group.addoption(
        "--config",
        metavar="FILE",
        type=Path,
        help="the file that names targets (default: harness.toml here or in a folder above)",
    )
    group.addoption("--dialect", metavar="NAME", help="how the target wraps offer and answer (default: json)")
    group.addoption(
        "--origin",
        metavar="ORIGIN",
        help="the web page's origin: sent as a browser would, preflight included",
    )
    group.addoption("--offer", metavar="SHAPE", help=f"{OFFER_HELP} (default: in turn)")
    group.addoption("--caller", metavar="KIND", help=f"{CALLER_HELP} (default: as the target's URL asks for)")
    group.addoption(
        "--auth",
        choices=("required", "open"),
        help="whether the target wants credentials (default: it does where some are configured)",
    )
    group.addoption(
        "--silent",
        action="store_true",
        help="the target is not meant to be heard (text only, or it answers nobody): nothing need be audible",
    )
    group.addoption(
        "--limit",
        metavar="NAME=VALUE",
        dest="limits",
        action="append",
        default=[],
        help="what a call is judged by, such as latency_ms=1500; may be repeated",
    )
    group.addoption(
        "--fake-openai",
        metavar="HOST:PORT",
        help="the harness's fake that the target's OpenAI base URL points at: both ends are seen",
    )
    group.addoption(
        "--ice-server",
        metavar="URL",
        action="append",
        default=[],
        help="stun:HOST:PORT, turn:HOST:PORT?transport=udp|tcp or turns:HOST:PORT; may be repeated; "
        "the credentials are in HARNESS_ICE_USERNAME and HARNESS_ICE_CREDENTIAL",
    )
    group.addoption(
        "--ice-servers-from",
        metavar="URL",
        help="fetch the ICE servers from here, or from this path on the target",
    )
    group.addoption(
        "--ice-transport-policy",
        metavar="all|relay",
        help="relay: use relayed candidates only, as iceTransportPolicy does (default: all)",
    )
    group.addoption(
        "--ice-ca",
        metavar="FILE",
        type=Path,
        help="an authority (PEM) that turns: servers may be signed by, besides the system's",
    )
    group.addoption(
        "--reports",
        metavar="DIR",
        type=Path,
        default=DEFAULT_REPORTS,
        help="where results.json and the evidence go (default: reports/latest)",
    )
    group.addoption(
        "--baseline",
        metavar="FILE|DIR",
        type=Path,
        help="an earlier run's results.json: say what got worse beyond noise",
    )
    group.addoption(
        "--fail-on-regression", action="store_true", help="fail the run where it is worse than its --baseline"
    )
    group.addoption(
        "--history",
        metavar="FILE",
        type=Path,
        help="add the run to this SQLite file, such as reports/history.sqlite; the report shows the trend",
    )
    group.addoption(
        "--concurrency",
        metavar="N",
        type=int,
        help="calls side by side (default: 6 embedded, 2 against a target)",
    )
    group.addoption(
        "--seed", metavar="N", type=int, help="repeats a run's choices (default: a new one, printed)"
    )
    group.addoption(
        "--requirement",
        metavar="ID",
        action="append",
        default=[],
        help="judge only this requirement; may be repeated",
    )
    group.addoption(
        "--area", metavar="AREA", action="append", default=[], help="judge only this area; may be repeated"
    )
    group.addoption(
        "--impairment",
        metavar="NAME",
        default="",
        help="give every call a bad network, at its own sockets: wifi-good, 4g, 3g, train or hotel",
    )
