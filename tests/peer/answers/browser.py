"""What a real browser says of answers: each goes to a fresh RTCPeerConnection that has made an offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Browser

OF_ONE_PAGE = 400  # Chromium lets a page make 500 connections, closed ones among them

# The connection is as voice pages make it, and never connects: it is closed as soon as it has its answer.
SCRIPT = """
const track = new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0];

async function offering(kind) {
  const peer = new RTCPeerConnection({bundlePolicy: kind === "balanced" ? "balanced" : "max-bundle"});
  peer.addTrack(track, new MediaStream([track]));
  if (kind === "opus") {
    const {codecs} = RTCRtpReceiver.getCapabilities("audio");
    peer.getTransceivers()[0].setCodecPreferences(codecs.filter(({mimeType}) => mimeType === "audio/opus"));
  }
  peer.createDataChannel("oai-events");
  await peer.setLocalDescription(await peer.createOffer());
  return peer;
}

async function refusal(sdp, kind) {
  const peer = await offering(kind);
  try {
    await peer.setRemoteDescription({type: "answer", sdp});
    return "";
  } catch (error) {
    return String(error.message || error);
  } finally {
    peer.close();
  }
}

async function refusals(answers, kind) {
  const found = [];
  for (const answer of answers) found.push(await refusal(answer, kind));
  return found;
}

async function answered(offer) {
  const peer = new RTCPeerConnection();
  await peer.setRemoteDescription({type: "offer", sdp: offer});
  peer.addTrack(track, new MediaStream([track]));
  await peer.setLocalDescription(await peer.createAnswer());
  while (peer.iceGatheringState !== "complete")
    await new Promise(resolve => peer.addEventListener("icegatheringstatechange", resolve, {once: true}));
  const sdp = peer.localDescription.sdp;
  peer.close();
  return sdp;
}

async function offered(kind) {
  const peer = await offering(kind);
  const sdp = peer.localDescription.sdp;
  peer.close();
  return sdp;
}
"""


async def refusals(browser: Browser, answers: Sequence[str], page: str) -> list[str]:
    """The browser's reason for each; empty where it takes the answer."""
    found: list[str] = []
    for start in range(0, len(answers), OF_ONE_PAGE):
        some = list(answers[start : start + OF_ONE_PAGE])
        found += await _asked(browser, "([answers, kind]) => refusals(answers, kind)", [some, page])
    return found


async def offered(browser: Browser, page: str) -> str:
    """An offer, as a page gives it at once."""
    return str(await _asked(browser, "kind => offered(kind)", page))


async def answered(browser: Browser, offer: str) -> str:
    """The browser's own answer, with its candidates."""
    return str(await _asked(browser, "offer => answered(offer)", offer))


async def _asked(browser: Browser, question: str, given: Any) -> Any:
    page = await browser.new_page()
    try:
        await page.add_script_tag(content=SCRIPT)
        return await page.evaluate(question, given)
    finally:
        await page.close()
