"""Calls whose far end is libwebrtc, judged by the whole catalogue."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from itertools import cycle, islice
from types import MappingProxyType

from harness.call.conduct import make_calls
from harness.call.context import CallContext
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedPair
from tests.far_end.gateway import OnThisMachine, install, libwebrtc_behind_a_relay
from tests.system.faultless import every_scenario

CONCURRENCY = 5
NO_LIMITS: Mapping[str, float] = MappingProxyType({})


async def make_calls_to_libwebrtc(
    number: int, *, seed: int, names: tuple[str, ...] = (), limits: Mapping[str, float] = NO_LIMITS
) -> list[Timeline]:
    """So many calls, the scenarios (or those named) and the shapes of offers in turn; every timeline of each.

    `limits`: other than those that every user has.
    Raises RuntimeError where Node is not there to be libwebrtc.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise RuntimeError("node and npm are not installed")
    install(npm)
    wanted = [each for each in every_scenario() if not names or each.name in names]
    async with libwebrtc_behind_a_relay(node, seed=seed) as target:
        settings = OnThisMachine(target=target, seed=seed, limits=limits)
        async with CallContext.open(settings, EmbeddedPair.for_run) as context:
            records = await make_calls(context, list(islice(cycle(wanted), number)), concurrency=CONCURRENCY)
    return [record.timeline for first in records for record in (first, *first.followed_by)]
