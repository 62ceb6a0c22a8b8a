"""Of two faults in one call the earlier is the root: `make proof` tries many more pairs."""

from __future__ import annotations

import pytest

from harness.core.timeline import Timeline
from tests.system.all_planted import PLANTED
from tests.system.calling import make_until_told
from tests.system.pairs import Pair, all_pairs, sample
from tools.proof import wrong_root

SEED = 1
PAIRS = {str(pair): pair for pair in sample(PLANTED, 20, SEED)}

pytestmark = pytest.mark.timeout(300)  # the first test waits for all calls


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    return dict(zip(PAIRS, make_until_told(list(PAIRS.values()), is_right, SEED), strict=True))


def is_right(pair: Pair, timeline: Timeline) -> bool:
    return wrong_root(pair, timeline) == ""


@pytest.mark.parametrize("pair", PAIRS)
def test_the_earlier_of_two_faults_is_the_root(pair: str, timelines: dict[str, Timeline]) -> None:
    assert wrong_root(PAIRS[pair], timelines[pair]) == ""


def test_a_sample_is_repeated_by_its_seed() -> None:
    assert [str(p) for p in sample(PLANTED, 20, SEED)] == list(PAIRS)
    assert [str(p) for p in sample(PLANTED, 20, SEED + 1)] != list(PAIRS)


def test_pairs_are_of_different_stages_and_in_the_order_of_a_call() -> None:
    pairs = all_pairs(PLANTED)
    assert len(pairs) > 1000
    assert {p.first.finds for p in pairs} != {p.second.finds for p in pairs}
    for pair in pairs:
        assert pair.first.faults != pair.second.faults
