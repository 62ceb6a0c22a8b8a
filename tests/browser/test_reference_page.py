"""The reference page's own consistency: what tests plant is what its script knows."""

import re
from pathlib import Path

import pytest

import harness.fakes.page
from harness.fakes.page.app import HEADERS
from harness.requirements import REGISTRY
from tests.browser.page_faults import FAULTLESS_PAGES, PLANTED_PAGES, PROBED_PAGES, UNUSABLE_PAGES

STATIC = Path(harness.fakes.page.__file__).parent / "static"
EVERY = (*PLANTED_PAGES, *PROBED_PAGES, *FAULTLESS_PAGES, *UNUSABLE_PAGES)


def test_every_fault_of_the_page_is_planted_and_every_planted_fault_is_in_the_page() -> None:
    known = set(re.findall(r'wrong\("([\w-]+)"\)', (STATIC / "page.js").read_text())) | set(HEADERS)
    planted = {page.fault for page in EVERY if page.fault}
    assert known == planted


def test_every_cause_of_the_area_is_planted_in_a_real_page() -> None:
    declared = {f"{r.id}: {slug}" for r in REGISTRY if r.area == "page" for slug in r.causes}
    planted = {page.finds for page in (*PLANTED_PAGES, *PROBED_PAGES)}
    assert planted == declared


@pytest.mark.parametrize("language", ["en", "es"])
def test_both_languages_say_all(language: str) -> None:
    words = (STATIC / "words.js").read_text()
    part = re.search(rf"  {language}: {{(.*?)\n  }},", words, re.DOTALL)
    other = re.search(r"  en: {(.*?)\n  },", words, re.DOTALL)
    assert part is not None
    assert other is not None
    keys = re.compile(r"(\w+): \"")
    assert keys.findall(part[1]) == keys.findall(other[1])
