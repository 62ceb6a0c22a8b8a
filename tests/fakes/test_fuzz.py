"""A few hundred malformed inputs; `python -m tests.fakes.fuzz` sends ten thousand."""

from __future__ import annotations

import pytest

from tests.fakes.fuzz import fuzz


@pytest.mark.parametrize("seed", [1, 2])
async def test_malformed_input_is_refused_and_leaves_nothing(seed: int) -> None:
    """No 5xx, no hang, no call and no descriptor left."""
    outcome = await fuzz(300, seed)
    assert outcome.wrong == []
    assert outcome.sent == 300
    assert outcome.descriptors <= 2
    assert outcome.statuses.keys() >= {201, 400}
