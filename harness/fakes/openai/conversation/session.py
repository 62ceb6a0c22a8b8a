"""The session: its defaults, what a client may change in it, and what it may not."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from harness.core.realtime_events import client_event_flaw
from harness.fakes.openai.conversation import ranges
from harness.fakes.openai.conversation.models import STREAMING, Model, model_named
from harness.fakes.openai.conversation.refusals import (
    RefusedError,
    cannot_update,
    flawed,
    invalid_value,
    wrong_kind,
)
from harness.fakes.openai.conversation.settings import ConversationSettings

TRANSCRIPTION = "transcription"


class Session:
    """The effective session as the client sees it."""

    def __init__(self, session_id: str, settings: ConversationSettings, expires_at: int) -> None:
        self._settings = settings
        self.assistant_spoke = False
        self.effective = self._defaults(session_id, settings.model, expires_at)

    @property
    def transcribes(self) -> bool:
        """Whether it is a transcription session, in which nobody answers."""
        return bool(self.effective["type"] == TRANSCRIPTION)

    @property
    def _model(self) -> str:
        return str(self.effective.get("model") or self._settings.model)

    def _transcription_defaults(self, session_id: str, expires_at: int) -> dict[str, Any]:
        detection = turn_detection_defaults("server_vad", self._settings, model_named(self._settings.model))
        _forget_replies(detection)
        return {
            "type": TRANSCRIPTION,
            "object": "realtime.transcription_session",
            "id": session_id,
            "expires_at": expires_at,
            "include": None,
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": detection,
                }
            },
        }

    def _defaults(self, session_id: str, model: str, expires_at: int) -> dict[str, Any]:
        settings = self._settings
        return {
            "type": "realtime",
            "object": "realtime.session",
            "id": session_id,
            "model": model,
            "output_modalities": ["audio"],
            "instructions": settings.instructions,
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "include": None,
            "expires_at": expires_at,
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": turn_detection_defaults("server_vad", settings, model_named(model)),
                },
                "output": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "voice": settings.voice or model_named(model).voice,
                    "speed": 1.0,
                },
            },
        }

    def configure(self, config: Mapping[str, Any]) -> None:
        """What the call was made with; the model is still free. On RefusedError nothing has changed."""
        check_session(config)
        before = self.effective
        where = before["id"], before["expires_at"]
        if config["type"] == TRANSCRIPTION:
            self.effective = self._transcription_defaults(*where)
        else:
            self.effective = self._defaults(where[0], config.get("model") or self._model, where[1])
        try:
            self._apply(config)
        except RefusedError:
            self.effective = before
            raise

    def update(self, changes: Mapping[str, Any]) -> None:
        """A `session.update`: all of it, or on RefusedError nothing of it."""
        check_session(changes)
        if changes["type"] != self.effective["type"]:
            raise wrong_kind(changes["type"], self.effective["type"])
        self._apply(changes)

    def _apply(self, changes: Mapping[str, Any]) -> None:
        audio = merged(
            self.effective["audio"], changes.get("audio") or {}, self._settings, model_named(self._model)
        )
        if self.transcribes:
            _check_streaming(audio["input"], changes)
            _forget_replies(audio["input"]["turn_detection"])
            self.effective = {**self.effective, **copy.deepcopy(dict(changes)), "audio": audio}
            return
        cleared = {name: value for name, value in _CLEARED.items() if changes.get(name, ...) is None}
        updated = {**self.effective, **copy.deepcopy(dict(changes)), **cleared, "audio": audio}
        updated["model"] = updated["model"] or self.effective["model"]
        self._check_locks(updated)
        self.effective = updated

    def _check_locks(self, updated: Mapping[str, Any]) -> None:
        current = self.effective
        if updated["model"] != current["model"]:
            raise cannot_update("model", "Cannot change the model of a session.")
        self.check_voice(updated["audio"]["output"]["voice"])
        if current["tracing"] is not None and updated["tracing"] not in (None, current["tracing"]):
            raise cannot_update("tracing", "Cannot update tracing once it is enabled.")

    def check_voice(self, voice: object) -> None:
        """Raises RefusedError where another voice comes too late; the same one is always accepted."""
        if self.assistant_spoke and voice != self.effective["audio"]["output"]["voice"]:
            raise cannot_update(
                "voice", "Cannot update a conversation's voice if assistant audio is present."
            )

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        """The turn detection in force; None where turns are made by the client."""
        found: dict[str, Any] | None = self.effective["audio"]["input"]["turn_detection"]
        return found

    @property
    def transcription(self) -> dict[str, Any] | None:
        """How the caller's speech is transcribed, if at all."""
        found: dict[str, Any] | None = self.effective["audio"]["input"]["transcription"]
        return found

    @property
    def input_format(self) -> str:
        """The type of audio that the client appends."""
        return str(self.effective["audio"]["input"]["format"]["type"])

    @property
    def output_format(self) -> str:
        """The type of audio that `response.output_audio.delta` carries."""
        return str(self.effective["audio"]["output"]["format"]["type"])


def _forget_replies(detection: dict[str, Any] | None) -> None:
    """Where nobody answers, nothing is to be created, interrupted or waited for."""
    for name in ("create_response", "interrupt_response", "idle_timeout_ms"):
        (detection or {}).pop(name, None)


def _check_streaming(audio_input: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """A model that streams knows no turn detection here (types of openai 3.52): it is null, or refused."""
    model = (audio_input["transcription"] or {}).get("model")
    if model not in STREAMING or audio_input["turn_detection"] is None:
        return
    asked = (changes.get("audio") or {}).get("input") or {}
    if asked.get("turn_detection") is not None:
        path = "session.audio.input.turn_detection"
        raise invalid_value(path, f"Turn detection is not supported with '{model}': expected null.")
    audio_input["turn_detection"] = None


# Omitted is kept and null clears, but these have no empty state: null is the default again.
_CLEARED = {
    "instructions": "",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "truncation": "auto",
    "output_modalities": ["audio"],
}


def check_session(config: object) -> None:
    """A session in the GA shape as a client may send it; raises RefusedError naming the field.

    For session.update and for the `session` part of POST /v1/realtime/calls and /client_secrets alike.
    """
    if not isinstance(config, Mapping):
        raise RefusedError("invalid_type", "Invalid type for 'session': expected an object.", param="session")
    flaw = client_event_flaw({"type": "session.update", "session": dict(config)})
    if flaw is not None:
        raise flawed(flaw)
    ranges.check_session(config)


def turn_detection_defaults(kind: str, settings: ConversationSettings, model: Model) -> dict[str, Any]:
    """`server_vad` or `semantic_vad` with what the API fills in."""
    if kind == "semantic_vad":
        return {
            "type": "semantic_vad",
            "eagerness": "auto",
            "create_response": True,
            "interrupt_response": True,
        }
    silence_ms = settings.silence_duration_ms
    return {
        "type": "server_vad",
        "threshold": settings.threshold,
        "prefix_padding_ms": settings.prefix_padding_ms,
        "silence_duration_ms": model.silence_duration_ms if silence_ms is None else silence_ms,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }


def merged(
    current: Mapping[str, Any], changes: Mapping[str, Any], settings: ConversationSettings, model: Model
) -> dict[str, Any]:
    """The audio settings with changes in depth: omitted is kept, null clears, another `type` starts anew."""
    result = dict(current)
    for name, value in changes.items():
        before = result.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping) and _same_kind(before, value):
            result[name] = merged(before, value, settings, model)
        elif name == "turn_detection" and isinstance(value, Mapping):
            result[name] = {**turn_detection_defaults(value["type"], settings, model), **_given(value)}
        elif name == "transcription" and isinstance(value, Mapping):
            result[name] = {"language": None, "prompt": None, **value}
        elif value is None and name in _NEVER_NULL:
            continue
        else:
            result[name] = copy.deepcopy(value)
    return result


# Settings without an empty state: null for them is taken as not given.
_NEVER_NULL = frozenset(
    (
        *("input", "output", "format", "rate", "voice", "speed"),
        *("threshold", "prefix_padding_ms", "silence_duration_ms", "eagerness"),
        *("create_response", "interrupt_response"),
    )
)


def _given(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in value.items() if item is not None or name not in _NEVER_NULL}


def _same_kind(before: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    return "type" not in value or before.get("type") == value["type"]
