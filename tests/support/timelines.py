"""Synthetic timelines: one healthy call, from which a test takes one thing away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from harness.core.events import (
    AnswerReceived,
    ArrivedPart,
    AudioCompared,
    AudioPlayed,
    BeginningCompared,
    CallEnded,
    CallStarted,
    CandidateFound,
    ChecksCounted,
    ClientEvent,
    Event,
    HttpRequest,
    HttpResponse,
    Layer,
    MarkHeard,
    OfferCreated,
    PacingMeasured,
    Packet,
    PacketsReceived,
    PairSelected,
    Part,
    ReceiverReport,
    RequestArrived,
    SendingStarted,
    ServerEvent,
    Side,
    StateChanged,
    StepEnded,
    StepStarted,
    TranscriptCompared,
    UtteranceEnded,
    UtteranceStarted,
)
from harness.core.timeline import Timeline

Mode = Literal["embedded", "black-box", "grey-box"]

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)


def sdp(*, ufrag: str, setup: str, candidate: str = "192.168.7.20 41000", data: bool = True) -> str:
    """A description with audio and, unless told otherwise, a data section."""
    transport = (
        f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{ufrag}secretsecretsecret\r\n"
        f"a=fingerprint:{FINGERPRINT}\r\na=setup:{setup}\r\n"
    )
    text = (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\n"
        "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
        f"a=candidate:1 1 udp 2130706431 {candidate} typ host\r\na=end-of-candidates\r\n{transport}"
    )
    if data:
        text += (
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n"
            f"a=sctp-port:5000\r\na=max-message-size:262144\r\n{transport}"
        )
    return text


OFFER = sdp(ufrag="offerfrag", setup="actpass")
ANSWER = sdp(ufrag="answerfrag", setup="active", candidate="192.168.7.30 3478")

SESSION: dict[str, Any] = {
    "type": "realtime",
    "id": "sess_1",
    "object": "realtime.session",
    "model": "gpt-realtime-2.1",
    "instructions": "Be brief.",
    "output_modalities": ["audio"],
    "tools": [],
    "audio": {
        "input": {
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 500,
                "create_response": True,
                "interrupt_response": True,
            }
        },
        "output": {"voice": "alloy", "speed": 1.0},
    },
}
SENT_SESSION = {"type": "realtime", "model": "gpt-realtime-2.1", "audio": {"output": {"voice": "alloy"}}}

SENDING_AT = 0.26
SPOKEN_AT, SPEECH, CLIP_MS = 1.0, ((250, 2250),), 2500
REPLY_MS = 3000


def server(at: float, type_: str, **fields: Any) -> ServerEvent:
    """A server event with an event_id of its own."""
    return ServerEvent(
        at=at, event={"type": type_, "event_id": f"event_{at:.6f}_{type_}", **fields}, size=200
    )


def client(at: float, type_: str, **fields: Any) -> ClientEvent:
    """A client event."""
    return ClientEvent(at=at, event={"type": type_, "event_id": f"evt_{at:.6f}", **fields})


def state(at: float, layer: Layer, reached: str, detail: str = "", side: Side = "caller") -> StateChanged:
    """A layer reaches a state."""
    return StateChanged(at=at, layer=layer, state=reached, detail=detail, side=side)


def call_started(mode: Mode = "embedded", **limits: float) -> CallStarted:
    """The first event; `limits` differ from the defaults."""
    return CallStarted(
        at=0.0,
        call="001-first-turn",
        scenario="first-turn",
        mode=mode,
        limits=limits,
        ufrag="offerfrag",
        target="http://127.0.0.1:3000/api/voice/webrtc/session",
        dialect="json",
    )


def signaling(at: float = 0.05, purpose: str = "offer") -> list[Event]:
    """Offer, the relay's form, the upstream's answer, and back."""
    url = "http://127.0.0.1:3000/api/voice/webrtc/session"
    form = (
        Part(name="sdp", body=OFFER, content_type="application/sdp"),
        Part(
            name="session", body=msgspec.json.encode(SENT_SESSION).decode(), content_type="application/json"
        ),
    )
    answered: list[Event] = [AnswerReceived(at=at + 0.1001, sdp=ANSWER)] if purpose == "offer" else []
    return [
        OfferCreated(at=at, sdp=OFFER),
        HttpRequest(
            at=at + 0.01,
            method="POST",
            url=url,
            headers=(("Content-Type", "application/json"),),
            body=msgspec.json.encode({"sdp": OFFER}).decode(),
            purpose=purpose,
        ),
        HttpRequest(
            at=at + 0.03,
            side="upstream",
            method="POST",
            url="http://127.0.0.1:8089/v1/realtime/calls",
            headers=(
                ("content-type", "multipart/form-data; boundary=relay-1"),
                ("authorization", "Bearer [redacted]"),
            ),
            parts=form,
        ),
        RequestArrived(
            at=at + 0.03,
            side="upstream",
            id="req_1_1",
            method="POST",
            url="/v1/realtime/calls",
            peer="127.0.0.1:40000",
            content_type="multipart/form-data; boundary=relay-1",
            size=2000,
            parts=(ArrivedPart(name="sdp", size=len(OFFER), start=OFFER[:240]),),
            ufrag="offerfrag",
            status=201,
            answer="answerfrag",
            tie="ufrag",
        ),
        HttpResponse(
            at=at + 0.07,
            side="upstream",
            status=201,
            headers=(("content-type", "application/sdp"), ("location", "/v1/realtime/calls/rtc_1")),
            body=ANSWER,
        ),
        HttpResponse(
            at=at + 0.1,
            status=200,
            headers=(("content-type", "application/sdp"),),
            body=ANSWER,
            purpose=purpose,
        ),
        *answered,
    ]


def connecting() -> list[Event]:
    """ICE, DTLS, SCTP, the channel; then the first packet of ours."""
    return [
        state(0.0, "gathering", "gathering"),
        state(0.03, "gathering", "complete"),
        CandidateFound(at=0.031, type="host", protocol="udp", address="192.168.7.20", port=41000),
        state(0.16, "ice", "checking"),
        state(0.2, "ice", "connected"),
        PairSelected(at=0.2, local="host 192.168.7.20:41000", remote="host 192.168.7.30:3478"),
        state(0.201, "dtls", "connecting"),
        state(0.25, "dtls", "connected"),
        SendingStarted(at=SENDING_AT, ssrc=1),
        state(0.27, "sctp", "connecting"),
        state(0.33, "sctp", "connected"),
        state(0.35, "channel", "open"),
        server(0.4, "session.created", session=SESSION),
    ]


def utterance(at: float, clip: str = "es-f-order", speech: Any = SPEECH, ms: int = CLIP_MS) -> list[Event]:
    """The caller speaks a clip."""
    return [
        UtteranceStarted(at=at, clip=clip, duration_ms=ms, speech=speech),
        UtteranceEnded(at=at + ms / 1000, clip=clip),
    ]


def detection(start: float, end: float, item: str, *, prefix: int = 300, silence: int = 500) -> list[Event]:
    """The server's events for speech that truly went from `start` to `end` on the timeline."""
    stamps = (round((start - SENDING_AT) * 1000) - prefix, round((end - SENDING_AT) * 1000) + silence)
    stopped = end + silence / 1000 + 0.05
    buffer = "input_audio_buffer"
    return [
        server(start + 0.1, f"{buffer}.speech_started", audio_start_ms=max(0, stamps[0]), item_id=item),
        server(stopped, f"{buffer}.speech_stopped", audio_end_ms=stamps[1], item_id=item),
        server(stopped + 0.001, f"{buffer}.committed", item_id=item),
        server(stopped + 0.002, "conversation.item.added", item={"id": item, "type": "message"}),
        server(stopped + 0.003, "conversation.item.done", item={"id": item, "type": "message"}),
    ]


def usage(audio_ms: int = REPLY_MS) -> dict[str, Any]:
    """Tokens of a reply of so many ms."""
    out = audio_ms // 50
    return {
        "total_tokens": 60 + out + 20,
        "input_tokens": 60,
        "output_tokens": out + 20,
        "input_token_details": {"text_tokens": 40, "audio_tokens": 20, "cached_tokens": 0},
        "output_token_details": {"text_tokens": 20, "audio_tokens": out},
    }


def reply(
    at: float, rid: str = "resp_1", *, audible_from: float, ms: int = REPLY_MS, **response: Any
) -> list[Event]:
    """A response created at `at`, its audio audible from `audible_from` on, without its packets."""
    end = audible_from + ms / 1000
    transcript = "Su pedido llega mañana por la tarde."
    content = [{"type": "output_audio", "transcript": transcript}]
    done = {
        "id": rid,
        "status": "completed",
        "output": [{"type": "message", "content": content}],
        "usage": usage(ms),
        **response,
    }
    return [
        server(at, "response.created", response={"id": rid, "status": "in_progress"}),
        server(at + 0.01, "response.output_item.added", response_id=rid, item={"id": f"item_{rid}"}),
        server(at + 0.02, "response.content_part.added", response_id=rid, part={"type": "audio"}),
        server(audible_from - 0.02, "output_audio_buffer.started", response_id=rid),
        server(audible_from + 0.1, "response.output_audio.done", response_id=rid),
        server(
            audible_from + 0.11,
            "response.output_audio_transcript.done",
            response_id=rid,
            transcript=transcript,
        ),
        server(audible_from + 0.12, "response.done", response=done),
        server(end + 0.05, "output_audio_buffer.stopped", response_id=rid),
        AudioPlayed(at=end + 0.06, side="upstream", clip="es-f-reply-order", duration_ms=ms, played_ms=ms),
    ]


def packets(
    start: float,
    ms: int,
    *,
    dbfs: float | None = -25.0,
    clipped: float = 0.0,
    sequence: int = 100,
    ssrc: int = 2,
) -> PacketsReceived:
    """One packet every 20 ms."""
    return PacketsReceived(
        at=start,
        ssrc=ssrc,
        packets=tuple(
            Packet(start + i * 0.02, (sequence + i) % 65536, (sequence + i) * 960, 80, dbfs, clipped)
            for i in range(ms // 20)
        ),
    )


def a_turn(
    at: float = SPOKEN_AT, number: int = 1, *, latency: float = 0.9, sequence: int = 100
) -> list[Event]:
    """An utterance, its detection, and a reply that is heard `latency` seconds after the end of speech."""
    start, end = at + SPEECH[0][0] / 1000, at + SPEECH[-1][1] / 1000
    heard = end + latency
    return [
        *utterance(at),
        StepStarted(at=at + CLIP_MS / 1000, step="hear the reply"),
        *detection(start, end, f"item_{number}"),
        *reply(heard - 0.3, f"resp_{number}", audible_from=heard),
        packets(heard, REPLY_MS, sequence=sequence),
    ]


def ending(at: float = 8.0) -> list[Event]:
    """The caller hangs up; both ends release the call."""
    return [
        StepStarted(at=at, step="hang up"),
        state(at + 0.01, "channel", "closed"),
        ChecksCounted(at=at + 0.02, sent=4, answered=4, received=3),
        PacingMeasured(at=at + 0.02, packets=400, p50=0.1, p99=1.2, max=3.0),
        state(at + 0.03, "dtls", "closed"),
        state(at + 0.04, "ice", "closed"),
        CallEnded(at=at + 0.05, side="upstream", reason="hang-up"),
        StepEnded(at=at + 0.06, step="hang up"),
        CallEnded(at=at + 0.07, reason="the scenario ran to its end"),
    ]


def healthy_events(mode: Mode = "embedded", *, end: float = 8.0, **limits: float) -> list[Event]:
    """One turn, a session.update, all reports: everything as it should be."""
    update = {"type": "realtime", "instructions": "Be brief.", "audio": {"output": {"speed": 1.0}}}
    return [
        call_started(mode, **limits),
        *connecting(),
        *signaling(),
        client(0.5, "session.update", session=update),
        server(0.56, "session.updated", session=SESSION),
        *a_turn(),
        *(ReceiverReport(at=t, fraction_lost=0, lost=0, jitter_ms=1.0) for t in (2.6, 5.1, 7.6)),
        BeginningCompared(at=7.9, clip="es-f-reply-order", lost_ms=20),
        AudioCompared(at=7.9, clip="es-f-reply-order", stoi=0.98),
        TranscriptCompared(
            at=7.9, clip="es-f-order", language="es", said="Hola.", heard="Hola", word_error_rate=0.0
        ),
        MarkHeard(at=7.9, heard="mark-200", expected="mark-200"),
        *ending(end),
    ]


def healthy_call(mode: Mode = "embedded", *, end: float = 8.0, **limits: float) -> Timeline:
    """The healthy events as a timeline; black box sees nothing of the upstream."""
    return timeline_of(healthy_events(mode, end=end, **limits))


def timeline_of(events: Iterable[Event]) -> Timeline:
    """A timeline; in black-box mode without the upstream's events."""
    listed = list(events)
    black_box = any(isinstance(e, CallStarted) and e.mode == "black-box" for e in listed)
    hidden = (AudioCompared, BeginningCompared, MarkHeard)
    return Timeline(e for e in listed if not black_box or (e.side == "caller" and not isinstance(e, hidden)))
