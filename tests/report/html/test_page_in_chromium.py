from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from harness.core.events import AnswerReceived, Event, HttpResponse, StateChanged
from harness.report.html import as_html, write_html
from tests.report.html.browser import PHONE, Seen, chromium, opened
from tests.report.html.runs import clips, entry, run_of, tone
from tests.support.programs import needs_program
from tests.support.timelines import healthy_events, server

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDIT = Path(__file__).with_name("audit.js").read_text(encoding="utf-8")
HOSTILE = (
    "<script>window.pwned = 1</script>"
    "\"'><img src=x onerror=window.pwned=2><svg onload=window.pwned=3>"
    "</style></script></textarea></title></pre><iframe srcdoc='<script>parent.pwned=4</script>'></iframe>"
    "<a href=javascript:window.pwned=5 id=bait>bait</a>`<b>`{{ 7*7 }}"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium(needs_program("chromium")) as found:
        yield found


def said_and_heard(call: str, events: list[Event] | None = None, **more: Any) -> Any:
    return entry(events, call, audio=tone(7.0, start=4.2), **more)


def without_dtls() -> list[Event]:
    """A call whose DTLS hung: a finding."""
    return [
        e
        for e in healthy_events()
        if not (
            isinstance(e, StateChanged) and e.layer in ("dtls", "sctp", "channel") and e.state != "connecting"
        )
    ]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with one call that is well and one that is not."""
    run = run_of(said_and_heard("001-well"), said_and_heard("002-hung", without_dtls()))
    return write_html(run, tmp_path_factory.mktemp("report"), clips())


async def test_the_page_opens_without_a_network_and_asks_for_nothing(browser: Browser, report: Path) -> None:
    async with opened(browser, report) as seen:
        await seen.unfold()
        assert "violates" in await seen.page.inner_text("h1")
        assert "connectivity.dtls-connects" in await seen.page.inner_text("#findings")
        assert [url for url in seen.requested if not url.startswith(("file:", "data:"))] == []
        assert seen.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_its_ground(
    browser: Browser, report: Path, scheme: Literal["light", "dark"]
) -> None:
    async with opened(browser, report, scheme=scheme) as seen:
        await seen.unfold()
        assert await seen.asks(AUDIT) == []
        ground = await seen.asks("getComputedStyle(document.body).backgroundColor")
        assert (sum(int(part) for part in ground[4:-1].split(",")) < 3 * 128) == (scheme == "dark")


async def test_a_phone_shows_all_of_it_without_scrolling_sideways(browser: Browser, report: Path) -> None:
    async with opened(browser, report, size=PHONE) as seen:
        await seen.unfold()
        assert await seen.asks("document.documentElement.scrollWidth") <= PHONE[0]


async def test_headings_landmarks_and_names_are_there_for_those_who_do_not_see(
    browser: Browser, report: Path
) -> None:
    async with opened(browser, report) as seen:
        await seen.unfold()
        levels = await seen.asks("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert await seen.page.locator("main, header, nav").count() == 3
        nameless = await seen.asks(
            "[...document.querySelectorAll('a,button,summary,audio,[role=region]')]"
            ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label'))).map(e => e.outerHTML)"
        )
        assert nameless == []
        ids = await seen.asks("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        assert await seen.page.get_attribute("html", "lang") == "en"


async def test_a_keyboard_reaches_everything_and_sees_where_it_is(browser: Browser, report: Path) -> None:
    async with opened(browser, report) as seen:
        reachable = await seen.page.locator(
            "a:visible, button:visible, summary:visible, audio:visible, [tabindex='0']:visible"
        ).count()
        visited = set()
        for _ in range(reachable + 30):  # an audio element has several stops of its own
            await seen.page.keyboard.press("Tab")
            place = await seen.asks(
                "(() => { const e = document.activeElement;"
                " const all = [...document.querySelectorAll('*')];"
                " return [all.indexOf(e), getComputedStyle(e).outlineStyle, e.tagName]; })()"
            )
            if place[2] not in ("BODY", "HTML"):
                visited.add(place[0])
                # What has the focus within an audio element draws its own ring, which scripts cannot see.
                assert place[1] != "none" or place[2] == "AUDIO", place
        assert len(visited) >= reachable
        await seen.page.focus("#call-001-well > summary")
        await seen.page.keyboard.press("Enter")
        assert await seen.asks("document.querySelector('#call-001-well').open")


async def test_a_link_to_a_call_opens_it(browser: Browser, report: Path) -> None:
    async with opened(browser, report, fragment="#call-001-well") as seen:
        assert await seen.asks("document.querySelector('#call-001-well').open")
        await seen.asks("document.querySelector('#call-002-hung').open = false")
        await seen.page.click("#findings a[href='#call-002-hung']")
        assert await seen.asks("document.querySelector('#call-002-hung').open")


async def test_the_sound_plays_is_as_long_as_the_call_and_moves_the_playhead(
    browser: Browser, report: Path
) -> None:
    async with opened(browser, report, fragment="#call-001-well") as seen:
        sound = await seen.asks(
            """async () => {
                const audio = document.querySelector('#call-001-well audio');
                const ready = (name) =>
                    new Promise((done) => audio.addEventListener(name, done, {once: true}));
                const loaded = ready('loadedmetadata');
                audio.muted = true;
                await audio.play();
                await loaded;
                await new Promise((done) => {
                    audio.ontimeupdate = () => audio.currentTime > 0.2 && done();
                });
                audio.pause();
                const seeked = ready('seeked');
                audio.currentTime = 4.0;
                await seeked;
                await new Promise(requestAnimationFrame);
                const head = document.querySelector('#call-001-well .playhead').getBoundingClientRect();
                const over = document.querySelector('#call-001-well .over').getBoundingClientRect();
                return {
                    error: audio.error && audio.error.message,
                    seconds: audio.duration,
                    at: audio.currentTime,
                    head: (head.left + head.width / 2 - over.left) / over.width,
                };
            }"""
        )
        length = float(str(await seen.page.get_attribute("#call-001-well .listen", "data-seconds")))
        assert sound["error"] is None
        assert sound["seconds"] == pytest.approx(7.0, abs=0.2)
        assert sound["at"] == pytest.approx(4.0, abs=0.1)
        assert sound["head"] == pytest.approx(4.0 / length, abs=0.01)


async def test_a_click_into_the_lanes_goes_there_in_the_sound(browser: Browser, report: Path) -> None:
    async with opened(browser, report, fragment="#call-001-well") as seen:
        box = await seen.page.locator("#call-001-well .over").bounding_box()
        assert box is not None
        await seen.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
        length = float(str(await seen.page.get_attribute("#call-001-well .listen", "data-seconds")))
        at = await seen.asks("document.querySelector('#call-001-well audio').currentTime")
        assert at == pytest.approx(length / 2, abs=0.05)


async def test_the_copy_button_copies_the_command_or_leaves_it_selected(
    browser: Browser, report: Path
) -> None:
    async with opened(browser, report) as seen:
        command = await seen.page.inner_text("#findings .command code")
        await seen.page.click("#findings .copy")
        await seen.page.wait_for_function("document.querySelector('#findings .copy').textContent != 'copy'")
        if await seen.page.inner_text("#findings .copy") == "selected":
            assert await seen.asks("getSelection().toString()") == command
        assert command == "pytest scenarios/first.py::first::connectivity.dtls-connects --seed 7"


def hostile_call() -> list[Event]:
    """Whatever a target can say, it says in markup."""
    kept = [e for e in healthy_events() if not isinstance(e, HttpResponse | AnswerReceived)]
    return [
        *kept,
        HttpResponse(at=0.15, status=200, headers=(("x-" + HOSTILE, HOSTILE),), body=HOSTILE),
        AnswerReceived(at=0.15, sdp=HOSTILE),
        server(5.0, HOSTILE, error={"message": HOSTILE}),
        server(5.1, "error", error={"message": HOSTILE}),
        server(5.2, "response.output_audio_transcript.done", response_id="resp_1", transcript=HOSTILE),
        server(5.3, "response.created", response={"id": HOSTILE}),
        server(5.4, "response.done", response={"id": HOSTILE, "status": HOSTILE}),
    ]


async def is_harmed(seen: Seen) -> bool:
    """Whether anything but our own ran, or was put into the page."""
    await seen.unfold()
    strangers = "script:not(body > script:last-child), img, iframe, #bait, b > b, svg[onload]"
    return bool(await seen.asks("window.pwned !== undefined") or await seen.page.locator(strangers).count())


async def test_what_a_hostile_target_says_is_shown_and_not_run(browser: Browser, tmp_path: Path) -> None:
    call = said_and_heard("003-" + HOSTILE, hostile_call(), title=HOSTILE, node=HOSTILE)
    file = write_html(run_of(call), tmp_path, clips())
    async with opened(browser, file) as seen:
        assert not await is_harmed(seen)
        assert HOSTILE in await seen.page.inner_text("body")
        assert seen.complaints == []


async def test_the_policy_stops_what_escaping_would_let_through_and_without_either_the_test_sees_harm(
    browser: Browser, tmp_path: Path
) -> None:
    page = as_html(run_of(entry()), clips()).replace("</main>", f"{HOSTILE}</main>")
    walled, bare = tmp_path / "walled.html", tmp_path / "bare.html"
    walled.write_text(page, encoding="utf-8")
    bare.write_text(page.replace('http-equiv="Content-Security-Policy"', 'name="none"'), encoding="utf-8")
    async with opened(browser, walled) as seen:
        assert await seen.asks("window.pwned") is None
        assert await is_harmed(seen)
    async with opened(browser, bare) as seen:
        await seen.page.wait_for_function("window.pwned !== undefined")


async def test_thirty_calls_fit_in_five_megabytes_and_show_first_content_within_a_second(
    browser: Browser, tmp_path: Path
) -> None:
    """Thirty built calls that differ in their ids alone, each with a clip and three seconds of tone."""
    calls = [said_and_heard(f"{i:03d}-call", without_dtls() if i % 5 == 0 else None) for i in range(1, 31)]
    file = write_html(run_of(*calls), tmp_path, clips())
    assert file.stat().st_size < 5_000_000
    (tmp_path / "one").mkdir()
    of_one = await _painted_ms(browser, write_html(run_of(calls[0]), tmp_path / "one", clips()))
    # Where the machine has other work, a page of one call is late as well: it says how slow the machine is.
    assert await _painted_ms(browser, file) < max(1000, 4 * of_one)


async def _painted_ms(browser: Browser, file: Path) -> float:
    """Until the page shows its first content; what else the machine does only adds."""
    times = []
    for _ in range(3):
        async with opened(browser, file) as seen:
            times.append(
                await seen.asks(
                    "new Promise(done => new PerformanceObserver(list => {"
                    " const paint = list.getEntriesByName('first-contentful-paint')[0];"
                    " if (paint) done(paint.startTime); }).observe({type: 'paint', buffered: true}))"
                )
            )
    return float(min(times))


VISIBLE = "[...document.querySelectorAll('[data-outcome]')].filter(e => !e.closest('.away')).map(e => e.id)"


async def test_the_page_is_filtered_by_outcome_and_words_and_the_address_says_how(
    browser: Browser, report: Path
) -> None:
    async with opened(browser, report) as seen:
        everything = await seen.asks(VISIBLE)
        await seen.page.check("#broken")
        failed = await seen.asks(VISIBLE)
        assert 0 < len(failed) < len(everything)
        assert {"connectivity.dtls-connects", "call-002-hung"} <= set(failed)
        assert "call-001-well" not in failed
        address = await seen.asks("location.hash")
        assert address == "#?failed=only"
        await seen.page.uncheck("#broken")
        await seen.page.fill("#find", "DTLS-connects")
        await seen.page.select_option("#outcome", "failed")
        assert await seen.asks("location.hash") == "#?find=DTLS-connects&outcome=failed"
        found = await seen.asks(VISIBLE)
        assert "connectivity.dtls-connects" in found
        assert await seen.page.inner_text(".filter output") == f"{len(found)} of {len(everything)} shown"
        # A link leads to what the filter hides, too.
        await seen.asks("location.hash = '#call-001-well'")
        await seen.page.wait_for_function("!document.querySelector('#call-001-well').closest('.away')")
        assert seen.complaints == []
    async with opened(browser, report, fragment=address) as seen:
        assert await seen.asks(VISIBLE) == failed
        assert await seen.page.is_checked("#broken")
    async with opened(browser, report, fragment="#?outcome=nonsense&find=%zz<b>") as seen:
        assert await seen.asks("document.querySelector('#outcome').value") == ""
        assert seen.complaints == []


async def test_keys_lead_from_failure_to_failure_and_leave_a_link_to_each(
    browser: Browser, report: Path
) -> None:
    async with opened(browser, report) as seen:
        failures = await seen.asks(
            "[...document.querySelectorAll('[data-outcome=failed], [data-outcome=error]')].map(e => e.id)"
        )
        assert len(failures) >= 3
        visited = []
        for _ in failures:
            await seen.page.keyboard.press("n")
            visited.append(await seen.asks("decodeURIComponent(location.hash.slice(1))"))
        assert visited == failures
        await seen.page.keyboard.press("n")
        await seen.page.keyboard.press("p")
        assert await seen.asks("decodeURIComponent(location.hash.slice(1))") == failures[-1]
        assert await seen.asks("document.activeElement.closest('[data-outcome]').id") == failures[-1]
        # Who types is not led about.
        await seen.page.keyboard.press("/")
        await seen.page.keyboard.type("napping")
        assert await seen.page.input_value("#find") == "napping"
        assert await seen.asks(VISIBLE) == []
        await seen.page.focus("#next")
        await seen.page.keyboard.press("n")
        assert seen.complaints == []
