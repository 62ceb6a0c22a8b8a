"""One embedded pair for all calls of this folder: each is told from the others by its ufrag."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext

import pytest

from harness.call.context import CallContext, StartPair
from harness.config.run import run_settings
from harness.fakes.embedded import EmbeddedPair


@pytest.fixture(scope="session")
def start_pair() -> Iterator[StartPair]:
    """Gives the pair that runs already, and leaves it running."""
    with EmbeddedPair() as pair:
        yield lambda _settings: nullcontext(pair)


@pytest.fixture
async def context(start_pair: StartPair) -> AsyncIterator[CallContext]:
    async with CallContext.open(run_settings(seed=3), start_pair) as opened:
        yield opened
