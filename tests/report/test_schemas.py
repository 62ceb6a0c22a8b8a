"""The published schemas are those of the types, and what is written and read keeps to them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.report.files import as_results
from harness.report.schemas import NAMES, schema_text
from tests.config.test_targets import WHOLE
from tests.docs.pages import ROOT, blocks
from tests.report.test_files import one_run
from tools.schemas import texts


def validator(document: str, *, closed: bool = False) -> Draft202012Validator:
    """`closed`: what the schema does not name is an error, so that no field goes undescribed."""
    schema = json.loads(schema_text(document))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(_closed(schema) if closed else schema)


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: _closed(value) for key, value in node.items()}
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def problems(document: str, value: object, *, closed: bool = False) -> list[str]:
    return [error.message for error in validator(document, closed=closed).iter_errors(value)]


@pytest.mark.parametrize("document", NAMES)
def test_a_schema_is_made_from_the_types(document: str) -> None:
    assert schema_text(document) == texts()[NAMES[document]], "make docs writes it anew"


def test_every_field_of_the_results_is_in_the_schema() -> None:
    results = json.loads(json.dumps(as_results(one_run())))
    assert problems("results.json", results, closed=True) == []
    results["verdict"] = "fine"
    del results["requirements"][0]["fix"]
    assert len(problems("results.json", results)) == 2


def test_the_documented_file_keeps_to_the_schema_and_a_slip_does_not() -> None:
    written = [block for block in blocks(ROOT / "docs/targets.md", "toml") if "[targets." in block]
    assert written
    for text in (WHOLE, *written):
        file = tomllib.loads(text)
        for target in file["targets"].values():
            target.setdefault("url", "https://staging.example.com/session")  # of a part
        assert problems("harness.toml", file) == []
    slip = tomllib.loads(
        WHOLE.replace("concurrency = 4", 'concurency = "4"').replace('"required"', '"maybe"')
    )
    assert len(problems("harness.toml", slip)) == 2


def test_an_editor_offers_what_there_is_to_choose_from() -> None:
    """Dialects, offers and limits are checked by code, which a schema cannot call: it lists them."""
    target = json.loads(schema_text("harness.toml"))["$defs"]["TargetTable"]["properties"]
    assert "multipart" in json.dumps(target["dialect"])
    assert "firefox" in json.dumps(target["offer"])
    assert "latency_ms" in json.dumps(target["limits"])


def test_the_schemas_are_beside_the_module_that_reads_them() -> None:
    folder = Path(str(__import__("harness.report.schemas", fromlist=["x"]).__file__)).parent
    assert sorted(NAMES.values()) == sorted(path.name for path in folder.glob("*.json"))
