"""`harness fake-openai` and `harness relay`: the two fakes as servers of their own."""

from __future__ import annotations

import os
import secrets
from typing import Any

import click

from harness.cli.fake_options import fake_options, switched
from harness.cli.options import Read
from harness.cli.screen import say
from harness.config.option_values import number, whole
from harness.core.dialects import DIALECTS, dialect_named
from harness.core.errors import UsageError
from harness.core.host_port import split_bind
from harness.core.loopback import is_loopback
from harness.fakes.commands import serve_fake, serve_relay
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.workers.crew import MOST_WORKERS
from harness.fakes.relay.settings import RelaySettings

BIND = click.option(
    "--bind", metavar="HOST:PORT", default="127.0.0.1:0", help="where to listen (port 0: any)"
)
FAULT = click.option(
    "--fault", "faults", multiple=True, metavar="NAME[=VALUE]", help="a fault to plant; see `harness faults`"
)
SEED = click.option(
    "--seed", type=Read(whole(0)), help="repeats a run's choices (default: a new one, printed)"
)
TOKEN = click.option(
    "--management-token",
    envvar="HARNESS_FAKE_TOKEN",
    help="opens the management beyond loopback (better: HARNESS_FAKE_TOKEN)",
)
HOST = click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="a name, beside localhost, by which programs of this machine reach the management",
)


@click.command(name="fake-openai")
@BIND
@FAULT
@SEED
@TOKEN
@HOST
@fake_options
@click.option(
    "--workers",
    metavar="N",
    type=Read(whole(1, MOST_WORKERS)),
    default=1,
    show_default=True,
    help="processes that share the calls behind the one address",
)
@click.option(
    "--keys",
    envvar="HARNESS_FAKE_KEYS",
    default="",
    metavar="KEY,KEY",
    help="the keys that are accepted (better: HARNESS_FAKE_KEYS; default: any but a placeholder)",
)
def fake_openai(
    bind: str,
    faults: tuple[str, ...],
    seed: int | None,
    management_token: str | None,
    keys: str,
    hosts: tuple[str, ...],
    workers: int,
    **switches: Any,
) -> None:
    """Serve a fake OpenAI Realtime: point a relay's OpenAI base URL at it."""
    own, conversation = switched(switches)
    settings = FakeSettings(
        addresses=_addresses(bind),
        api_keys=tuple(key.strip() for key in keys.split(",") if key.strip()),
        conversation=conversation,
        seed=_told(seed),
        faults=faults,
        management_token=management_token,
        management_hosts=_hosts(bind, hosts),
        **own,
    )
    serve_fake(bind, settings, workers=workers, hint=_hint)


@click.command()
@BIND
@FAULT
@SEED
@TOKEN
@HOST
@click.option(
    "--upstream",
    envvar="OPENAI_BASE_URL",
    required=True,
    metavar="URL",
    help="OpenAI's base URL, Azure's or a fake's (or: OPENAI_BASE_URL)",
)
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    default="json",
    show_default=True,
    help="how offer and answer are wrapped",
)
@click.option("--origin", "origins", multiple=True, help="a web page's origin that may call (CORS)")
@click.option("--gateway", is_flag=True, help="end the caller's WebRTC, and bridge to a WebSocket upstream")
@click.option("--one-call-per-caller", is_flag=True, help="a caller's new call ends its older one")
@click.option("--locations", is_flag=True, help="give each answer a Location, at which its call is hung up")
@click.option(
    "--call-seconds", type=Read(number(above=0)), metavar="SECONDS", help="end each call after so long"
)
@click.option(
    "--upstream-connections", type=Read(whole(0)), default=0, metavar="N", help="at most so many upstream"
)
@click.option("--offers-per-second", type=Read(whole(0)), default=0, metavar="N", help="refuse more with 429")
@click.option("--no-retry-after", is_flag=True, help="refuse them without saying when to come again")
@click.option(
    "--block-ms",
    type=Read(number()),
    default=0.0,
    metavar="MS",
    help="hold up the event loop at each offer",
)
@click.option(
    "--leak-kib", type=Read(whole(0)), default=0, metavar="N", help="leave so much in memory at each offer"
)
@click.option(
    "--cold-seconds",
    type=Read(number()),
    default=0.0,
    metavar="SECONDS",
    help="let the first offer wait",
)
def relay(
    bind: str,
    faults: tuple[str, ...],
    seed: int | None,
    management_token: str | None,
    hosts: tuple[str, ...],
    upstream: str,
    dialect: str,
    origins: tuple[str, ...],
    gateway: bool,
    one_call_per_caller: bool,
    call_seconds: float | None,
    **limits: Any,
) -> None:
    """Serve the reference relay in front of an upstream; the key comes from OPENAI_API_KEY."""
    key = os.environ.get("OPENAI_API_KEY", "")
    if not key:
        raise UsageError(
            "OPENAI_API_KEY is not set", "the relay forwards it; for the fake, any key will do: sk-test"
        )
    settings = RelaySettings(
        upstream=upstream,
        api_key=key,
        dialect=dialect_named(dialect),
        bearer_token=os.environ.get("HARNESS_RELAY_TOKEN") or None,
        origins=origins,
        gateway=gateway,
        one_call_per_caller=one_call_per_caller,
        call_seconds=call_seconds,
        faults=faults,
        seed=_told(seed),
        management_token=management_token,
        management_hosts=_hosts(bind, hosts),
        **limits,
    )
    serve_relay(bind, settings)


def _hint(line: str) -> None:
    """For people: on standard error, since programs read the base URL from standard output."""
    say(line, err=True)


def _told(seed: int | None) -> int:
    """The seed in use; on standard error, since standard output holds the base URL alone."""
    chosen = secrets.randbits(32) if seed is None else seed
    say(f"seed {chosen}", err=True)
    return chosen


def _hosts(bind: str, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """As a Host header has them: those named, and the one that we were told to listen on."""
    return tuple(name.lower() for name in (split_bind(bind)[0], *hosts))


def _addresses(bind: str) -> tuple[str, ...] | None:
    """Candidates on loopback alone where nobody else can reach us anyway."""
    host, _ = split_bind(bind)
    return (host,) if is_loopback(host) else None
