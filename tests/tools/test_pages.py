from __future__ import annotations

import pytest

from harness.requirements import REGISTRY
from tests.system.all_planted import PLANTED
from tools.pages import DOCS, pages


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_current(name: str) -> None:
    """`make docs` writes it anew."""
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name]


def test_what_a_planted_fault_should_lead_to_is_in_the_catalogue() -> None:
    for planted in PLANTED:
        assert planted.cause in REGISTRY.get(planted.requirement).causes, planted


def test_no_planted_fault_is_listed_twice() -> None:
    assert len({str(planted) for planted in PLANTED}) == len(PLANTED)
