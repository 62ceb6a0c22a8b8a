"""Each network is what its name says."""

from __future__ import annotations

import pytest

from tests.network.nat.behaviour import EXPECTED, Behaviour, observe_every_network
from tests.network.nat.networks import NETWORKS


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Behaviour]:
    return observe_every_network(tmp_path_factory.mktemp("networks"))


def test_every_network_has_an_expected_behaviour() -> None:
    assert list(EXPECTED) == [network.name for network in NETWORKS]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_network_is_what_its_name_says(name: str, observed: dict[str, Behaviour]) -> None:
    assert observed[name] == EXPECTED[name]
