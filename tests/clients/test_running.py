"""What a client says beside its report counts: else a fault of the fake's would be missed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from harness.fakes.serving import running
from tests.clients import running as clients_running
from tests.clients.clients import CLIENTS, FEATURES, Client
from tests.clients.running import Result, in_page, in_process, pages_app
from tests.report.html.browser import chromium
from tests.support.certificates import TestCertificate, make_certificate
from tests.support.programs import needs_program
from tools.clients import as_json

REPORTED = """
import sys
from tests.clients.programs.reporting import Received, Report, Setting, run
async def converse(report, setting):
    with report.feature("connect"):
        pass
    with report.feature("close"):
        {0}
run("openai", converse)
"""


@pytest.fixture
def certificate(tmp_path: Path) -> TestCertificate:
    return make_certificate(tmp_path)


async def said(certificate: TestCertificate, code: str) -> Result:
    setting = {"url": "", "key": "", "speech": ""}
    return await in_process([sys.executable, "-c", REPORTED.format(code)], setting, certificate)


async def test_a_program_that_has_nothing_to_complain_of_reports_its_features(
    certificate: TestCertificate,
) -> None:
    result = await said(certificate, "pass")
    assert (result.features, result.problems) == ({"connect": None, "close": None}, [])
    assert result.version
    assert result.of("mute") == "the program did not come so far"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import logging; logging.getLogger('client').warning('an odd event')", "client: an odd event"),
        ("import warnings; warnings.warn('deprecated')", "warning: deprecated"),
        ("import asyncio; asyncio.create_task(asyncio.sleep(9), name='left')", "left tasks behind: left"),
        ("report.problem('an error event')", "during close: an error event"),
        ("sys.stderr.write('a word')", "it said: a word"),
        ("print('a word')", "it said: a word"),
        ("sys.exit(3)", "it ended with status 1"),
    ],
)
async def test_whatever_else_a_program_says_is_a_problem(
    certificate: TestCertificate, code: str, problem: str
) -> None:
    [told, *_] = (await said(certificate, code)).problems
    assert problem in told


async def test_a_program_that_does_not_end_is_ended(
    certificate: TestCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients_running, "LONGEST_SECONDS", 0.5)
    program = [sys.executable, "-c", "import time; time.sleep(60)"]
    result = await in_process(program, {}, certificate)
    assert result.problems[0] == "it had not come to its end after 0.5 s"


async def test_a_feature_that_fails_says_why_and_ends_the_program(certificate: TestCertificate) -> None:
    result = await said(certificate, "assert False, 'not so'")
    assert result.of("connect") is None
    assert "not so" in str(result.of("close"))
    assert result.problems == ["it ended with status 1"]


async def test_what_a_page_lets_nobody_catch_is_a_problem(tmp_path: Path) -> None:
    program = needs_program("chromium")
    (tmp_path / "faulty.mjs").write_text(
        "export default async () => {\n"
        '  console.warn("careful");\n'
        '  Promise.reject(new Error("rejected"));\n'
        '  setTimeout(() => { throw new Error("thrown"); });\n'
        '  await fetch("/speech/missing.wav").catch(() => {});\n'
        "  await new Promise((resolve) => setTimeout(resolve, 100));\n"
        "};\n"
    )
    faulty = Client("faulty", "page", "../speech/faulty")
    async with running(pages_app(tmp_path)) as pages, chromium(program) as browser:
        result = await in_page(browser, pages, faulty, {})
    told = "\n".join(result.problems)
    assert [word for word in ("careful", "rejected", "thrown", "404") if word not in told] == []


def test_the_table_keeps_nothing_that_works_of_a_client_that_complained() -> None:
    results: dict[str, Any] = {c.name: Result("1.0", dict.fromkeys(c.features)) for c in CLIENTS}
    results[CLIENTS[0].name].problems.append("an error event")
    results[CLIENTS[1].name].features["close"] = "it hung"
    kept = as_json(clients_running.Outcome(results, [], {}), "2026-11-26")["clients"]
    assert kept[CLIENTS[0].name]["features"] == []
    assert kept[CLIENTS[1].name]["features"] == [f for f in CLIENTS[1].features if f != "close"]
    assert kept[CLIENTS[2].name]["features"] == CLIENTS[2].features


def test_every_feature_that_a_client_lacks_is_one_of_the_features_and_has_a_reason() -> None:
    for client in CLIENTS:
        assert set(client.lacks) <= set(FEATURES)
        assert all(client.lacks.values())
    for feature in FEATURES:
        assert any(feature in client.features for client in CLIENTS), feature
