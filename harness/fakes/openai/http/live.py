"""GPT-Live: another front door to the same conversation, with events of its own (SDK `types/live`).

The Realtime conversation goes on behind it; this translates both ways. Turns have no events here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from harness.core.event_types import event_types, flaw_in
from harness.fakes.openai import errors
from harness.fakes.openai.calls import Calls
from harness.fakes.openai.errors import ApiError
from harness.fakes.openai.http.control import read_json
from harness.fakes.openai.http.sharing import Sharing
from harness.fakes.openai.keys import Keys, bearer
from harness.fakes.openai.media.driver import Translation
from harness.fakes.openai.media.offers import read_offer
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.signaling_fault import refused_on_purpose

SESSIONS_PATH = "/v1/live/sessions"
NORMAL = 1000
WORD_MS = 300  # the rate at which transcripts are spread over time

_RESOURCE_FIELDS = ("model", "audio", "client", "delegation", "input", "instructions", "store", "triggers")

Event = dict[str, Any]


class LiveFrontDoor:
    """POST /v1/live/sessions."""

    def __init__(self, settings: FakeSettings, calls: Calls, keys: Keys, sharing: Sharing) -> None:
        self._settings = settings
        self._calls = calls
        self._keys = keys
        self._sharing = sharing

    async def create(self, request: Request) -> Response:
        """Make a call; recorded like any other."""
        record = self._calls.begin(bearer(request))
        try:
            self._keys.check(request)
            body = await read_json(request, self._settings)
            offer_text = _offer(body)
            config = _config(body.get("session"))
            offer = read_offer(offer_text.encode())
            record.begin(ufrag=offer.ice_ufrag or "", offer=offer_text.encode())
            record.request(request, json.dumps(body).encode(), ())
            faults = await self._sharing.faults_of(record)
            if (refused := await refused_on_purpose(request, faults)) is not None:
                self._calls.refuse(record, f"refused-{refused.status_code}")
                return refused
            translation = LiveTranslation(record.id, config, self._calls.new_id)
            answer = await self._calls.answer(record, offer, _realtime(config), faults, translation)
        except ApiError as error:
            self._calls.refuse(record, f"refused-{error.status}")
            raise
        except UnicodeEncodeError as error:
            self._calls.refuse(record, "refused-400")
            raise errors.unparsable_offer("sdp: invalid syntax") from error
        response = JSONResponse(
            {"session": {"id": record.id}, "transport": {"type": "webrtc", "sdp": answer}}, 201
        )
        record.response(response)
        return response


class LiveTranslation(Translation):
    """Live events for the client, Realtime events for the conversation."""

    def __init__(self, session_id: str, config: Mapping[str, Any], new_id: Callable[[str], str]) -> None:
        self._id = session_id
        self._config = dict(config)
        self._new_id = new_id
        self._expires_at = 0
        self._spoken_ms = (0, 0)
        self.muted = False

    def to_client(self, event: Event, audio_ms: int) -> list[Event]:
        """What the client gets for a Realtime event."""
        match event["type"]:
            case "session.created":
                self._expires_at = event["session"]["expires_at"]
                return [self._event("session.started", session=self._resource())]
            case "input_audio_buffer.speech_started":
                self._spoken_ms = (event["audio_start_ms"], event["audio_start_ms"])
            case "input_audio_buffer.speech_stopped":
                self._spoken_ms = (self._spoken_ms[0], event["audio_end_ms"])
            case "conversation.item.input_audio_transcription.delta":
                return [self._transcript("session.input_transcript.delta", event["delta"], *self._spoken_ms)]
            case "response.output_audio_transcript.delta":
                end = audio_ms + WORD_MS * len(event["delta"].split())
                return [self._transcript("session.output_transcript.delta", event["delta"], audio_ms, end)]
            case "response.done":
                return [self._event("session.usage.updated", usage={"seconds": audio_ms / 1000})]
            case "error":
                return [self._refusal(event["error"])]
        return []

    def from_client(self, message: str | bytes, audio_ms: int) -> tuple[list[Event], list[Event], bool]:
        """Realtime events for the conversation, replies to the client, and whether the session is over."""
        event = _object(message)
        if not isinstance(event, dict):
            return [], [self._invalid("the event is no JSON object", None)], False
        if problem := _problem(event):
            return [], [self._invalid(problem, event.get("event_id"))], False
        return self._translated(event, audio_ms)

    def _translated(self, event: Event, audio_ms: int) -> tuple[list[Event], list[Event], bool]:
        given = {"client_event_id": event["event_id"]} if event.get("event_id") else {}
        stamps = {"start_ms": audio_ms, "end_ms": audio_ms}
        match event["type"]:
            case "session.update":
                self._config |= {k: v for k, v in event["session"].items() if k in ("delegation", "triggers")}
                return [], [self._event("session.updated", session=self._resource(), **given)], False
            case "session.input_audio.mute" | "session.input_audio.unmute":
                self.muted = event["type"].endswith(".mute")
                return [], [self._event(f"{event['type']}d", **given)], False
            case "session.instructions.append" | "session.thinking.append" | "session.commentary.append":
                appended = self._event(event["type"] + "ed", **stamps, **given)
                return _appended(event), [appended], False
            case "session.close":
                usage = {"seconds": audio_ms / 1000}
                closed = {"reason": "close_requested", "session": self._resource(), "usage": usage}
                return [], [self._event("session.closed", **closed, **given)], True
        error = {"type": "invalid_request_error", "code": "unsupported_event"}
        return [], [self._refusal({**error, "message": f"The fake does not serve {event['type']}."})], False

    def _resource(self) -> Event:
        shown = {name: self._config[name] for name in _RESOURCE_FIELDS if self._config.get(name) is not None}
        return {**shown, "id": self._id, "expires_at": self._expires_at, "status": "active"}

    def _transcript(self, kind: str, delta: str, start_ms: int, end_ms: int) -> Event:
        return self._event(kind, delta=delta, start_ms=start_ms, end_ms=end_ms)

    def _refusal(self, error: Mapping[str, Any]) -> Event:
        details = {name: error[name] for name in ("type", "code", "message") if error.get(name)}
        return self._event("error", error={"type": "server_error", "code": "server_error", **details})

    def _invalid(self, problem: str, event_id: Any) -> Event:
        details = {"type": "invalid_request_error", "code": "invalid_event", "message": problem[:500]}
        given = {"client_event_id": event_id} if isinstance(event_id, str) else {}
        return self._event("error", error={**details, **given}, **given)

    def _event(self, kind: str, **fields: Any) -> Event:
        return {"type": kind, "event_id": self._new_id("event"), **fields}


def _appended(event: Event) -> list[Event]:
    """Text for the model; commentary is spoken at once."""
    item = {
        "type": "message",
        "role": "system",
        "content": [{"type": "input_text", "text": event["content"]}],
    }
    created: Event = {"type": "conversation.item.create", "item": item}
    spoken = event["type"] == "session.commentary.append"
    return [created, {"type": "response.create"}] if spoken else [created]


def _object(message: str | bytes) -> object:
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        return None


def _problem(event: Event) -> str:
    """Why it is no event of a client's; empty where it is one."""
    known, name = event_types().live_client, event.get("type")
    if not isinstance(name, str) or name not in known:
        return f"type: input should be one of {', '.join(sorted(known))}"
    return str(flaw_in(known[name], event) or "")


def _offer(body: Mapping[str, Any]) -> str:
    transport = body.get("transport")
    if not isinstance(transport, Mapping) or transport.get("type") != "webrtc":
        raise errors.invalid_parameter("transport.type", "Supported values are: 'webrtc'.")
    sdp = transport.get("sdp")
    if not isinstance(sdp, str):
        raise errors.invalid_parameter("transport.sdp", "Expected an SDP offer as text.", "invalid_type")
    return sdp


def _config(session: object) -> dict[str, Any]:
    flaw = flaw_in(event_types().live_session, session, "session")
    if flaw is not None:
        raise errors.invalid_parameter(flaw.path, f"Invalid value for '{flaw.path}': {flaw.message}.")
    return dict(session) if isinstance(session, Mapping) else {}


def _realtime(config: Mapping[str, Any]) -> dict[str, Any]:
    """The session of the conversation behind it; transcription is always on here."""
    voice = ((config.get("audio") or {}).get("output") or {}).get("voice")
    audio: dict[str, Any] = {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}}
    if isinstance(voice, str):
        audio["output"] = {"voice": voice}
    shown = {"type": "realtime", "model": config["model"], "audio": audio}
    return shown | ({"instructions": config["instructions"]} if config.get("instructions") else {})
