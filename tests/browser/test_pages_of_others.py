"""Pages that are not the reference page: one on OpenAI's own package, and the Next.js example's."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from harness.call import Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.page import PageOptions
from harness.config.run import RunSettings
from harness.config.target import Target
from harness.core.events import HarnessFailed
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedPair
from harness.fakes.relay.settings import TOKEN_PATH
from harness.fakes.serving import running
from harness.requirements import REGISTRY, Outcome, judge
from tests.browser.calling import LIMITS, TIMEOUTS, says_one_thing
from tests.clients.clients import FOLDER
from tests.support.programs import ending_with_us, needs_installed, needs_program
from tests.system.calling import until_told

pytestmark = pytest.mark.timeout(300)  # the first test waits for both calls

PAGES = Path(__file__).with_name("pages")
EXAMPLE = Path(__file__).parents[2] / "examples" / "nextjs-voice"
BAD = (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)
OFFICIAL, NEXT = "official", "next"
OPTIONS = {
    OFFICIAL: PageOptions(),  # its buttons are found
    NEXT: PageOptions(start=("text=Talk to Cleo", "text=Iniciar llamada"), stop="text=Colgar"),
}


def official_page(relay: str) -> Starlette:
    """The page, the packages that it imports, and its back end's key, which the reference relay mints."""

    async def token(_request: Request) -> Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            minted = await client.post(httpx.URL(relay).join(TOKEN_PATH))
        return Response(minted.content, minted.status_code, media_type="application/json")

    return Starlette(
        routes=[
            Route("/", lambda _: FileResponse(PAGES / "official.html")),
            Route("/token", token, methods=["POST"]),
            Mount("/node_modules", StaticFiles(directory=FOLDER / "node_modules")),
        ]
    )


@contextmanager
def next_example(pair: EmbeddedPair) -> Iterator[str]:
    """Its page and its routes, in Node.js, in front of the fake; yields the page's address."""
    process = subprocess.Popen(
        ending_with_us([needs_program("node"), str(PAGES / "next.mjs"), str(EXAMPLE), str(FOLDER)]),
        env={
            **os.environ,
            "OPENAI_BASE_URL": f"{pair.fake}/v1",
            "OPENAI_API_KEY": pair.options.api_key,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
        finally:
            process.terminate()


@asynccontextmanager
async def served() -> AsyncIterator[tuple[EmbeddedPair, dict[str, str]]]:
    async with EmbeddedPair() as pair, running(official_page(pair.relay)) as official:
        with next_example(pair) as example:
            yield pair, {OFFICIAL: f"{official}/?calls={pair.fake}/v1/realtime/calls", NEXT: example}


async def calls(names: list[str], side_by_side: int) -> list[Timeline]:
    async with served() as (pair, urls):
        settings = RunSettings(
            target=Target(urls[NEXT]), fake_openai=pair.fake, caller="page", limits=LIMITS, timeouts=TIMEOUTS
        )
        async with CallContext.open(settings, EmbeddedPair.for_run) as context:
            places = asyncio.Semaphore(side_by_side)

            async def call(name: str) -> Timeline:
                target = Target(urls[name])
                own = replace(context.settings, target=target, page=OPTIONS[name])
                own_context = replace(context, target=target, settings=own)
                async with places:
                    scenario = Scenario(name, name, says_one_thing, ())
                    return (await make_call(own_context, scenario, call=name)).timeline

            return await asyncio.gather(*map(call, names))


@pytest.fixture(scope="module")
def timelines() -> dict[str, Timeline]:
    """One call of each page."""
    needs_program("chromium")
    needs_installed("the JavaScript clients", FOLDER / "node_modules" / "esbuild", "make install-clients")

    def make(names: object, side_by_side: int) -> list[Timeline]:
        return uvloop.run(calls(list(names), side_by_side))  # type: ignore[call-overload]  # names of pages

    names = [OFFICIAL, NEXT]
    return dict(zip(names, until_told(names, make, lambda name, t: found(t) == FOUND[name], 2), strict=True))


def found(timeline: Timeline) -> list[str]:
    return [f"{v.id}: {v.cause}" for v in judge([timeline], REGISTRY) if v.outcome in BAD]


# Honest findings about what we did not write; docs/page.md has them with the version.
FOUND: dict[str, list[str]] = {OFFICIAL: [], NEXT: []}


@pytest.mark.parametrize("name", [OFFICIAL, NEXT])
def test_a_page_is_called_and_judged_end_to_end(name: str, timelines: dict[str, Timeline]) -> None:
    timeline = timelines[name]
    assert timeline.all(HarnessFailed) == []
    assert found(timeline) == FOUND[name]
    passed = {v.id for v in judge([timeline], REGISTRY) if v.outcome == Outcome.PASSED}
    assert {"page.microphone-sent", "page.reply-played", "page.offer-unchanged", "page.no-key"} <= passed
