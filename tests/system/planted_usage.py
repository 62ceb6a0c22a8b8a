"""Faults of the target's usage endpoint, which is asked before a call and after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager

from harness.config.hooks import UsageEndpoint
from tests.support.usage import FakeUsage, fake_usage
from tests.system.conversations import takes_a_turn
from tests.system.planted import Planned, configured

ALLOWED = (("usage_difference_percent", 5.0),)

# Name → what it says before the call, and what from then on.
BEHAVIOURS: dict[str, tuple[float, float]] = {
    "counts-nothing": (3.5, 3.5),
    "counts-too-much": (3.5, 1003.5),
}

PLANTED = [
    configured("cost.usage-agrees: usage-differs", takes_a_turn, usage=name, limits=ALLOWED)
    for name in BEHAVIOURS
]


@asynccontextmanager
async def usage_endpoints(planted: Iterable[Planned]) -> AsyncIterator[dict[str, UsageEndpoint]]:
    """Those that the calls need, running, by name. Each is asked about one call."""
    with ExitStack() as stack:
        names = {each.usage for each in planted if each.usage}
        started = {name: stack.enter_context(fake_usage(*BEHAVIOURS[name])) for name in names}
        yield {
            name: UsageEndpoint(usage.url, FakeUsage.NUMBER, settle=1.0) for name, usage in started.items()
        }
