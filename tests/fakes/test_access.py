"""Programs steer a fake; a web page that is open beside it cannot, nor read what it saw."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from harness.core.errors import UsageError
from harness.fakes.access import AS_JSON, NO_PAGES, Access
from harness.fakes.faults.plan import FaultPlan
from harness.fakes.management import fault_routes
from harness.fakes.openai.faults import OPENAI_FAULTS
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.serving import running
from tests.fakes.callers import Served
from tests.report.html.browser import chromium
from tests.support.programs import needs_program

PLANTED = {"http-401": True}


def client_of(access: Access | None = None, **options: Any) -> tuple[FaultPlan, httpx.AsyncClient]:
    plan = FaultPlan(OPENAI_FAULTS)
    app = Starlette(routes=fault_routes(plan, access or Access()))
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5))
    return plan, httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8089", **options)


async def tried(headers: dict[str, str], access: Access | None = None) -> tuple[int, str, int]:
    """What planting a fault with these headers is answered, and how many are planted then."""
    plan, client = client_of(access)
    async with client:
        answer = await client.post("/faults", json=PLANTED, headers=headers)
    return answer.status_code, answer.json().get("problem", ""), len(list(plan))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8089", "localhost:8089", "LOCALHOST", "[::1]:8089", "192.168.7.20:8089", "relay-box:8089"],
)
async def test_a_program_of_this_machine_is_let_in_by_any_address_and_by_names_that_are_known(
    host: str,
) -> None:
    assert await tried({"host": host}, Access(hosts=("relay-box",))) == (200, "", 1)


@pytest.mark.parametrize(
    "host", ["evil.example:8089", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::1"]
)
async def test_a_name_that_is_not_ours_may_lead_here_and_is_refused(host: str) -> None:
    status, problem, planted = await tried({"host": host})
    assert (status, planted) == (403, 0)
    assert "--allow-host" in problem


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "https://127.0.0.1:8089"]
)
async def test_a_page_of_another_origin_is_refused_with_and_without_a_token(origin: str) -> None:
    assert await tried({"origin": origin}) == (403, NO_PAGES, 0)
    bearer = {"authorization": "Bearer secret"}
    assert await tried({"origin": origin, **bearer}, Access("secret")) == (403, NO_PAGES, 0)
    _, client = client_of(headers={"origin": origin})
    async with client:
        assert [(await client.request(m, "/faults")).status_code for m in ("GET", "PUT", "DELETE")] == [
            403
        ] * 3


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_so_is_one_that_sends_no_origin_but_its_site(site: str) -> None:
    assert await tried({"sec-fetch-site": site}) == (403, NO_PAGES, 0)


async def test_who_has_the_token_may_call_it_by_any_name() -> None:
    headers = {"authorization": "Bearer secret", "host": "fake.internal:8089"}
    assert await tried(headers, Access("secret")) == (200, "", 1)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
async def test_what_a_page_can_send_unasked_changes_nothing(kind: str, served: Served) -> None:
    headers = {"content-type": kind} if kind else {}
    for method, path in (("POST", "faults"), ("PUT", "faults"), ("POST", "reset")):
        answer = await served.client.request(
            method, f"{served.url}/_fake/{path}", content=b'{"http-401": true}', headers=headers
        )
        assert (answer.status_code, answer.json()["problem"]) == (415, AS_JSON)
    assert not list(served.fake.plan)


async def test_a_content_type_may_have_parameters(served: Served) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    answer = await served.client.post(
        f"{served.url}/_fake/faults", content=b'{"http-401": true}', headers=headers
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("origin", "remedy"), [("*", "every web page"), ("http://app.test/", "without a path")]
)
def test_a_relay_lets_no_origin_in_that_is_none_or_all(origin: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=remedy):
        RelaySettings(upstream="http://127.0.0.1:9", api_key="sk-x", origins=(origin,))


# --- in a real browser ---

TRIES = """async (base) => {
  const body = '{"http-401": true}';
  const tries = [
    ["POST", "faults", {mode: "no-cors"}],
    ["POST", "faults", {mode: "no-cors", headers: {"content-type": "text/plain"}}],
    ["POST", "faults", {mode: "cors", headers: {"content-type": "application/json"}}],
    ["POST", "reset", {mode: "no-cors"}],
    ["PUT", "faults", {mode: "cors", headers: {"content-type": "application/json"}}],
    ["DELETE", "faults", {mode: "cors"}],
    ["GET", "calls", {mode: "cors"}],
    ["GET", "calls", {mode: "no-cors"}],
  ];
  const read = [];
  for (const [method, path, options] of tries) {
    const init = {method, ...options, ...(method === "POST" || method === "PUT" ? {body} : {})};
    try {
      const answer = await fetch(`${base}/_fake/${path}`, init);
      const text = await answer.text();
      if (answer.ok || text.includes('"calls"')) read.push([method, path, answer.status, text]);
    } catch {}
  }
  return read;
}"""
FORM = """(base) => {
  document.body.innerHTML =
    `<form method=post enctype=text/plain action="${base}/_fake/faults">` +
    `<input name='{"http-401": true, "x": "' value='"}'></form>`;
  document.forms[0].submit();
}"""


@asynccontextmanager
async def page_elsewhere() -> AsyncIterator[tuple[Page, str]]:
    """A page in Chromium, for which evil.test leads to this machine; and where a page of another port is."""
    other = Starlette(routes=[Route("/", lambda _request: HTMLResponse("<body></body>"))])
    program, names = needs_program("chromium"), "--host-resolver-rules=MAP evil.test 127.0.0.1"
    async with running(other) as elsewhere, chromium(program, names) as browser:
        yield await browser.new_page(), elsewhere


async def test_no_page_in_chromium_plants_a_fault_or_reads_a_call(served: Served) -> None:
    served.fake.plan.add("no-audio")
    port = served.url.rpartition(":")[2]
    async with page_elsewhere() as (page, elsewhere):
        for origin in (elsewhere, elsewhere.replace("127.0.0.1", "evil.test"), f"http://evil.test:{port}"):
            await page.goto(f"{origin}/")  # the last is the fake by a name that was rebound
            base = f"http://evil.test:{port}" if origin.endswith(port) else served.url
            assert await page.evaluate(TRIES, base) == [], origin
            async with page.expect_navigation():
                await page.evaluate(FORM, base)
            assert "problem" in await page.content()
            assert [planned.fault.name for planned in served.fake.plan] == ["no-audio"], origin
