"""One coturn for the tests that only look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.coturn import Coturn


@pytest.fixture(scope="session")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """A running one with long-term credentials."""
    with Coturn(tmp_path_factory.mktemp("coturn")) as running:
        yield running
