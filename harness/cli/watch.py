"""`harness watch`: looks at a relay again and again, and says when the cause of its failure changes."""

from __future__ import annotations

from typing import Any

import click

from harness.cli.options import takes_options
from harness.cli.screen import say
from harness.cli.watching.showing import WatchPages
from harness.cli.watching.watch import WatchedRelay, Ways
from harness.config.asking import settings_of
from harness.config.option_texts import read_options
from harness.config.option_values import webhook
from harness.config.settings import read_settings
from harness.core.errors import UsageError
from harness.fakes.serving import running
from harness.platform.loop import run_loop
from harness.report.folder import claimed


@click.command()
@click.argument("target", metavar="URL|NAME", required=False)
@takes_options("watch")
def watch(target: str | None, **texts: Any) -> int:
    """Make a short call through the relay at URL, or NAME in harness.toml, again and again; say what changes.

    Exit status, with --looks or --alert-exit: 0 conforming, 1 violating, 3 unreachable, 4 inconclusive or
    paused by the budget. 2 usage.
    """
    values = read_options("watch", texts)
    settings = settings_of("watch", values, target=target)
    if settings.target is None:
        raise UsageError("there is no relay to watch", "give its URL or its name in harness.toml")
    from_environment = read_settings().webhook.get_secret_value()
    ways = Ways(
        command=values["alert_command"],
        webhook=values["webhook"] or (webhook(from_environment) if from_environment else None),
        exits=values["alert_exit"],
        quiet=values["quiet"],
    )
    with claimed(settings.reports):
        relay = WatchedRelay.begin(
            settings, ways, every=values["every"], after=values["after"], budget=values["budget"], tell=say
        )
        host, port = values["listen"]
        return run_loop(_served(relay, host, port, values["looks"]), in_browser=settings.in_browser)


async def _served(relay: WatchedRelay, host: str, port: int, looks: int | None) -> int:
    async with running(
        WatchPages(relay.memory, relay.every, relay.budget).app(), host=host, port=port
    ) as url:
        say(f"watching {relay.memory.target} every {relay.every} s: {url}/ and {url}/metrics")
        return await relay.watch(looks)
