"""`harness fake-openai` and `harness relay`: the two fakes as servers of their own."""

from __future__ import annotations

import math
import os
import secrets
from typing import Any

import click

from harness.cli.screen import say
from harness.core.dialects import DIALECTS, dialect_named
from harness.core.errors import UsageError
from harness.fakes.commands import serve_fake, serve_relay
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.workers.crew import MOST_WORKERS
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.serving import is_loopback, split_bind

BIND = click.option(
    "--bind", metavar="HOST:PORT", default="127.0.0.1:0", help="where to listen (port 0: any)"
)
FAULT = click.option(
    "--fault", "faults", multiple=True, metavar="NAME[=VALUE]", help="a fault to plant; see `harness faults`"
)
SEED = click.option("--seed", type=int, help="repeats a run's choices (default: a new one, printed)")
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


class Patience(click.ParamType[float | None]):
    """Seconds, or `off` for None."""

    name = "seconds|off"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """Raises click's BadParameter."""
        if value == "off":
            return None
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            self.fail(f"{value!r} is neither seconds (0 or more) nor off", param, ctx)
        return seconds


@click.command(name="fake-openai")
@BIND
@FAULT
@SEED
@TOKEN
@HOST
@click.option("--vad", type=click.Choice(["silero", "webrtc"]), default="silero", show_default=True)
@click.option("--voice", default="recorded", show_default=True, help="recorded[:CLIP], echo, or mark")
@click.option("--reply-delay-ms", type=int, default=300, show_default=True)
@click.option(
    "--session-seconds", type=float, default=3600.0, show_default=True, help="until a session expires"
)
@click.option(
    "--ice-patience",
    type=Patience(),
    default=5.0,
    show_default=True,
    help="seconds after nomination until connectivity checks without USE-CANDIDATE get no answer; "
    "off: answer all",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(1, MOST_WORKERS),
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
    vad: str,
    voice: str,
    reply_delay_ms: int,
    session_seconds: float,
    ice_patience: float | None,
    workers: int,
) -> None:
    """Serve a fake OpenAI Realtime: point a relay's OpenAI base URL at it."""
    conversation = ConversationSettings(reply_delay_ms=reply_delay_ms, session_seconds=session_seconds)
    settings = FakeSettings(
        addresses=_addresses(bind),
        api_keys=tuple(key.strip() for key in keys.split(",") if key.strip()),
        vad="webrtc" if vad == "webrtc" else "silero",
        voice=voice,
        conversation=conversation,
        seed=_told(seed),
        faults=faults,
        management_token=management_token,
        management_hosts=_hosts(bind, hosts),
        ice_patience=ice_patience,
    )
    serve_fake(bind, settings, workers=workers, hint=_hint)


@click.command()
@BIND
@FAULT
@SEED
@TOKEN
@HOST
@click.option("--upstream", required=True, metavar="URL", help="OpenAI's base URL, or a fake's")
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    default="json",
    show_default=True,
    help="how offer and answer are wrapped",
)
@click.option("--origin", "origins", multiple=True, help="a web page's origin that may call (CORS)")
def relay(
    bind: str,
    faults: tuple[str, ...],
    seed: int | None,
    management_token: str | None,
    hosts: tuple[str, ...],
    upstream: str,
    dialect: str,
    origins: tuple[str, ...],
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
        faults=faults,
        seed=_told(seed),
        management_token=management_token,
        management_hosts=_hosts(bind, hosts),
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
