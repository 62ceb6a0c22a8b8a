"""The recorder inside of a page: what it records, and that the page does not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness.browser.chromium import chromium
from harness.browser.scripts import MICROPHONES
from harness.browser.visit import PageVisit, VisitParts
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import (
    ConnectionMade,
    ConnectionUsed,
    HarnessFailed,
    MicrophoneAsked,
    MicrophoneRefused,
    PageErred,
    StateChanged,
    TextShown,
    TrackChanged,
)
from harness.core.redaction import Redactor
from harness.core.timeline import Timeline
from tests.support.programs import needs_program

# What a page would look at that wants to know whether somebody listens in.
INVISIBLE = """() => {
  const seen = [];
  const text = Function.prototype.toString;
  const native = (name, f) => { if (!/native code/.test(text.call(f))) seen.push(name); };
  native("RTCPeerConnection", RTCPeerConnection);
  native("getUserMedia", navigator.mediaDevices.getUserMedia);
  native("fetch", fetch);
  native("send", RTCDataChannel.prototype.send);
  native("play", HTMLMediaElement.prototype.play);
  native("addEventListener", EventTarget.prototype.addEventListener);
  for (const name of ["srcObject", "muted"])
    native(name, Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, name).set);
  const connection = new RTCPeerConnection();
  if (!(connection instanceof RTCPeerConnection)) seen.push("instanceof");
  if (connection.constructor !== RTCPeerConnection) seen.push("constructor");
  if (RTCPeerConnection.name !== "RTCPeerConnection" || RTCPeerConnection.length !== 0) seen.push("name");
  if (webkitRTCPeerConnection !== RTCPeerConnection) seen.push("alias");
  class Own extends RTCPeerConnection { twice() { return 2; } }
  const own = new Own({ iceServers: [] });
  if (!(own instanceof Own) || own.twice() !== 2) seen.push("subclass");
  try { RTCPeerConnection(); seen.push("called without new"); } catch (error) {
    if (!(error instanceof TypeError)) seen.push("error"); }
  try { new RTCPeerConnection({ iceServers: [{ urls: "nonsense" }] }); seen.push("no error"); } catch {}
  if (Object.keys(globalThis).some((name) => /harness|recorder/i.test(name))) seen.push("a global");
  if ("__harnessTell" in globalThis) seen.push("the way out");
  connection.close(); own.close();
  return seen;
}"""


class Visited:
    """A page of ours, with its recorder."""

    def __init__(self, visit: PageVisit, timeline: Timeline) -> None:
        self.visit = visit
        self.timeline = timeline

    async def run(self, script: str, *arguments: Any) -> Any:
        return await self.visit.page.evaluate(script, *arguments)

    async def told(self, kind: type[Any], count: int = 1) -> list[Any]:
        """The events of a kind, once there are so many."""
        async with asyncio.timeout(20):
            while len(self.timeline.all(kind)) < count:
                await asyncio.sleep(0.02)
        return self.timeline.all(kind)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pages() -> AsyncIterator[Any]:
    needs_program("chromium")
    async with chromium() as browser:
        visits: list[PageVisit] = []

        async def visit(html: str = "<p>hello</p>", microphone: str = "willing") -> Visited:
            timeline = Timeline()
            clock = RelativeClock(MonotonicClock())
            parts = VisitParts(timeline.append, clock, Redactor(), MICROPHONES[microphone])
            made = PageVisit(parts)
            visits.append(made)
            await made.open_own(browser, html)
            return Visited(made, timeline)

        yield visit
        for each in visits:
            await each.leave()
        assert browser.contexts == []


pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(200)]


async def test_a_page_does_not_notice_the_recorder(pages: Any) -> None:
    page = await pages()
    assert await page.run(INVISIBLE) == []
    assert len(await page.told(ConnectionMade, 2)) >= 2
    assert page.timeline.all(HarnessFailed) == []


async def test_a_rejection_is_unhandled_only_where_the_page_does_not_handle_it(pages: Any) -> None:
    page = await pages()
    await page.run(
        """async () => {
          const connection = new RTCPeerConnection();
          await connection.setRemoteDescription({ type: "answer", sdp: "nonsense" }).catch(() => {});
          await new Promise((resolve) => setTimeout(resolve, 300));
          connection.setRemoteDescription({ type: "answer", sdp: "nonsense" });
          await new Promise((resolve) => setTimeout(resolve, 300));
        }"""
    )
    (error,) = await page.told(PageErred)
    assert error.source == "unhandled"
    assert "setRemoteDescription" in error.message or "SessionDescription" in error.message


async def test_a_microphone_is_as_the_device_says_and_obeys(pages: Any) -> None:
    page = await pages()
    seen = await page.run(
        """async () => {
          const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
          const [track] = stream.getAudioTracks();
          const copy = track.clone();
          track.enabled = false;
          track.stop();
          const seen = [track.kind, track.label, track.getSettings().deviceId, copy.label];
          seen.push(track.readyState, copy.readyState);
          copy.stop();
          return seen;
        }"""
    )
    kind, label, device, copied, state, copy_state = seen
    assert (kind, state, copy_state) == ("audio", "ended", "live")
    assert "Fake" in label
    assert copied == label
    assert device
    (asked,) = await page.told(MicrophoneAsked)
    assert asked.constraints == {"audio": {"channelCount": 1}}
    changes = await page.told(TrackChanged, 3)
    assert [c.enabled for c in changes][:2] == [False, False]
    assert changes[-1].ended


@pytest.mark.parametrize(("kind", "error"), [("denied", "NotAllowedError"), ("missing", "NotFoundError")])
async def test_a_microphone_is_refused_on_request(pages: Any, kind: str, error: str) -> None:
    page = await pages(microphone=kind)
    name = await page.run("() => navigator.mediaDevices.getUserMedia({ audio: true }).catch((e) => e.name)")
    assert name == error
    (refused,) = await page.told(MicrophoneRefused)
    assert refused.error == error


async def test_what_is_impossible_is_refused_by_the_browser_itself(pages: Any) -> None:
    page = await pages()
    name = await page.run(
        "() => navigator.mediaDevices.getUserMedia({ audio: { deviceId: { exact: 'none' } } })"
        ".catch((error) => error.name)"
    )
    assert name == "OverconstrainedError"


async def test_frames_are_recorded_too_and_alerts_do_not_stop_the_page(pages: Any) -> None:
    page = await pages(
        "<iframe srcdoc=\"<script>new RTCPeerConnection(); alert('Sorry!')</script>\"></iframe>"
    )
    await page.told(ConnectionMade)
    shown = await page.told(TextShown)
    assert [text.text for text in shown if text.dialog] == ["Sorry!"]


async def test_a_connection_is_told_of_without_its_credentials(pages: Any) -> None:
    page = await pages()
    await page.run(
        """async () => {
          const server = { urls: "turn:127.0.0.1:9", username: "me", credential: "secret-word" };
          const connection = new RTCPeerConnection({ iceServers: [server] });
          connection.createDataChannel("a");
          await connection.setLocalDescription();
          connection.localDescription;
          connection.close();
        }"""
    )
    (made,) = await page.told(ConnectionMade)
    assert made.configuration == {"iceServers": [{"urls": "turn:127.0.0.1:9"}]}
    await page.told(StateChanged)
    methods = [use.method for use in await page.told(ConnectionUsed, 4)]
    assert methods[:2] == ["createDataChannel", "setLocalDescription"]
    assert methods[-1] == "close"
