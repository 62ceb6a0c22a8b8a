from __future__ import annotations

import json
import re

from harness.core.limits import LIMITS
from harness.requirements import REGISTRY
from harness.requirements.catalogue import as_json, as_markdown


def test_the_page_names_every_requirement_cause_and_limit() -> None:
    page = as_markdown(REGISTRY)
    for requirement in REGISTRY:
        assert f"### {requirement.id}\n" in page
        for slug, cause in requirement.causes.items():
            assert f"| `{slug}`" in page
            assert cause.fix.replace("|", "\\|").replace("<", "&lt;") in page
    for name in LIMITS:
        assert f"| `{name}` |" in page


def test_links_on_the_page_lead_to_headings() -> None:
    page = as_markdown(REGISTRY)
    for requirement in REGISTRY:
        assert f"(#{requirement.id.replace('.', '')})" in page


def test_sources_have_addresses_that_a_browser_follows() -> None:
    for requirement in REGISTRY:
        url = requirement.source.url
        assert not url or re.fullmatch(r"https://\S+", url), url


def test_tables_have_as_many_cells_as_columns() -> None:
    for line in as_markdown(REGISTRY).splitlines():
        if line.startswith("| "):
            assert line.replace("\\|", "").count("|") in (4, 5, 6), line


def test_the_json_can_be_written_and_holds_what_was_declared() -> None:
    entries = json.loads(json.dumps(as_json(REGISTRY)))
    assert [e["id"] for e in entries] == [r.id for r in REGISTRY]
    by_id = {e["id"]: e for e in entries}
    entry = by_id["session.events-valid"]
    assert entry["needs"] == ["connectivity.data-channel-opens"]
    assert entry["causes"]["event-unknown"]["level"] == "SHOULD"
    assert entry["causes"]["event-malformed"]["level"] == "MUST"


def test_the_page_is_the_same_each_time() -> None:
    assert as_markdown(REGISTRY) == as_markdown(REGISTRY)
