"""`harness behind`: one's own relay, with OpenAI's host in its source, in front of the fake."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext

import click

from harness.call.upstream import FakeUpstream
from harness.cli.options import Read
from harness.cli.screen import say
from harness.config.option_values import number
from harness.config.target import check_url
from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError, UsageError
from harness.core.host_port import split_bind
from harness.fakes.behind.environment import OPENAI
from harness.fakes.behind.running import run_behind
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.platform.loop import run_loop

DEFAULT_FAKE = "127.0.0.1:8089"
HOST_NAME = re.compile(r"(?!-)[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.IGNORECASE)


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option(
    "--fake-openai",
    metavar="HOST:PORT",
    default=DEFAULT_FAKE,
    show_default=True,
    help="where the fake is; the harness serves it there, if nobody does yet",
)
@click.option(
    "--host",
    "hosts",
    metavar="NAME",
    multiple=True,
    default=(OPENAI,),
    show_default=True,
    help="the host whose requests reach the fake; may be repeated",
)
@click.option(
    "--tell-after",
    type=Read(number(above=0)),
    metavar="SECONDS",
    default=30.0,
    show_default=True,
    help="when to say that no request has come yet",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def behind(fake_openai: str, hosts: tuple[str, ...], tell_after: float, command: tuple[str, ...]) -> int:
    """Run COMMAND, its requests to api.openai.com led to the fake: harness behind -- npm run dev."""
    for host in hosts:
        if not HOST_NAME.fullmatch(host):
            raise UsageError(f"{host!r} is no host name", f"such as {OPENAI}, without scheme, port and path")
    address = fake_openai.rpartition("//")[2].rstrip("/")
    base = f"http://{address}"
    check_url(base, "--fake-openai")
    split_bind(address)
    with _served(base, address) as served:
        _say(
            f"requests of this command to {', '.join(hosts)} reach the fake at {base}; "
            f"then: harness doctor URL --fake-openai {address}"
        )
        return run_behind(
            command,
            fake=base,
            hosts=hosts,
            tell=_say,
            tell_after=tell_after,
            lost=lambda: served.problem if served else "",
        )


def _served(base: str, address: str) -> AbstractContextManager[EmbeddedPair | None]:
    """The fake, if nobody serves it there yet. Raises HarnessError where something else is there."""
    if run_loop(_is_there(base)):
        return nullcontext()
    host, _ = split_bind(address)
    loopback = "::1" if host == "::1" else "127.0.0.1"
    return EmbeddedPair(EmbeddedOptions(fake_at=address, addresses=(loopback,)))


async def _is_there(base: str) -> bool:
    upstream = FakeUpstream(base, MonotonicClock())
    try:
        return await upstream.is_there()
    except HarnessError as error:
        raise HarnessError(
            error.message, "choose another address with --fake-openai, or stop what listens there"
        ) from error
    finally:
        await upstream.close()


def _say(line: str) -> None:
    """On standard error, since standard output is the command's."""
    say(f"harness behind: {line}", err=True)
