"""The answer's text against what api.openai.com answered, and an aiortc client that lives by it."""

from __future__ import annotations

import asyncio
import fractions
import json
import re
from typing import Any

import av
import numpy as np
import pytest
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from harness.core.audio import Samples
from harness.core.sdp import parse_sdp
from harness.peer.answers import check_answer
from harness.speech.library import load_library
from tests.fakes.callers import CALLS, SESSION, Served, new_caller, until

# The lines of an answer in their order (April and August 2026), what changes from call to call left out.
RECORDED = """\
v=0
o=- N N IN IP4 0.0.0.0
s=-
t=0 0
a=msid-semantic:WMS *
a=fingerprint:sha-256 X
a=ice-lite
a=extmap-allow-mixed
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8
c=IN IP4 0.0.0.0
a=setup:active
a=mid:0
a=ice-ufrag:X
a=ice-pwd:X
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=ssrc:N cname:realtimeapi
a=ssrc:N msid:realtimeapi audio
a=ssrc:N mslabel:realtimeapi
a=ssrc:N label:audio
a=msid:realtimeapi audio
a=sendrecv
a=candidate:N 1 udp N HOST N typ host ufrag X
a=candidate:N 1 tcp 1671430143 HOST 443 typ host tcptype passive ufrag X
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=setup:active
a=mid:1
a=sendrecv
a=sctp-port:5000
a=max-message-size:1073741823
a=ice-ufrag:X
a=ice-pwd:X
"""
G711 = "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:111"


def skeleton(answer: str) -> str:
    """The answer without the values that are the call's own."""
    answer = answer.replace("\r\n", "\n")
    for pattern, kept in (
        (r"(?m)^o=- \d+ \d+", "o=- N N"),
        (r"(?m)(sha-256|ice-ufrag:|ice-pwd:|ufrag)( ?)\S+$", r"\1\2X"),
        (r"(?m)^a=ssrc:\d+", "a=ssrc:N"),
        (r"(?m)^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 \d+", "a=candidate:N 1 udp N HOST N"),
        (r"(?m)^a=candidate:\S+ 1 tcp (\d+) 127\.0\.0\.1", r"a=candidate:N 1 tcp \1 HOST"),
    ):
        answer = re.sub(pattern, kept, answer)
    return answer


async def test_the_answer_is_written_as_the_real_one(served: Served) -> None:
    async with new_caller() as caller:
        offer = caller.offer.replace("SAVPF 111", "SAVPF 111 0 8").replace("a=rtpmap:111", G711)
        answer = (await served.post(CALLS, files={"sdp": (None, offer, "application/sdp")})).text
    assert skeleton(answer) == RECORDED
    assert len({line.rpartition(" ")[2] for line in answer.splitlines() if " ufrag " in line}) == 1
    check_answer(parse_sdp(answer), parse_sdp(offer))


async def test_what_was_not_offered_is_not_answered(served: Served) -> None:
    async with new_caller() as caller:
        offer = caller.offer.replace("a=extmap-allow-mixed\r\n", "")
        answer = (await served.post(CALLS, files={"sdp": (None, offer, "application/sdp")})).text
    assert "extmap-allow-mixed" not in answer
    assert parse_sdp(answer).sections[0].formats == ("111",)


class Talking(AudioStreamTrack):
    """Says a clip, then nothing."""

    def __init__(self, samples: Samples) -> None:
        super().__init__()
        self._samples = samples
        self._at = 0

    async def recv(self) -> av.AudioFrame:
        if self._at:
            await asyncio.sleep(0.02)
        frame = np.zeros(960, np.int16)
        said = self._samples[self._at : self._at + 960]
        frame[: len(said)] = said
        shown = av.AudioFrame.from_ndarray(frame.reshape(1, -1), format="s16", layout="mono")
        shown.sample_rate, shown.pts, shown.time_base = 48000, self._at, fractions.Fraction(1, 48000)
        self._at += 960
        return shown


@pytest.mark.parametrize("first", ["audio/opus", "audio/PCMU", "audio/PCMA"])
async def test_a_client_on_aiortc_connects_and_is_heard_in_each_codec(served: Served, first: str) -> None:
    """What the answer takes must be understood: aiortc sends the first codec that both have."""
    connection = RTCPeerConnection()
    sender = connection.addTrack(Talking(load_library().clip("en-m-yes").samples))
    [transceiver] = [t for t in connection.getTransceivers() if t.sender is sender]
    codecs = [c for c in RTCRtpSender.getCapabilities("audio").codecs if c.name != "G722"]
    transceiver.setCodecPreferences(sorted(codecs, key=lambda c: c.mimeType != first))
    channel = connection.createDataChannel("oai-events")
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    channel.on("message", lambda text: events.put_nowait(json.loads(text)))
    try:
        await connection.setLocalDescription(await connection.createOffer())
        files = {
            "sdp": (None, connection.localDescription.sdp, "application/sdp"),
            "session": (None, json.dumps(SESSION), "application/json"),
        }
        response = await served.post(CALLS, files=files)
        await connection.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
        seen: list[str] = []
        async with asyncio.timeout(10):
            while "input_audio_buffer.committed" not in seen:
                seen.append((await events.get())["type"])
        assert seen[0] == "session.created"
        [record] = served.records
        assert record.measure()["packets_undecodable"] == 0
    finally:
        await connection.close()
    await until(record.timeline, lambda: record.state == "ended")
