"""What the fake is run with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.core.errors import UsageError
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.hearing.detectors import Engine

# Shut down, or never known to the GA endpoint: OpenAI's page of deprecations.
RETIRED_MODELS = frozenset(
    {
        "gpt-4o-realtime-preview",
        "gpt-4o-realtime-preview-2024-10-01",
        "gpt-4o-realtime-preview-2024-12-17",
        "gpt-4o-realtime-preview-2025-06-03",
        "gpt-4o-mini-realtime-preview",
        "gpt-4o-mini-realtime-preview-2024-12-17",
    }
)


@dataclass(frozen=True)
class FakeSettings:
    """`addresses`: where to gather candidates; None for every address but loopback.

    `api_keys`: those accepted; with none, any but a placeholder such as `undefined`. `voice`: see
    `voices.voice_named`. `answer_media_type`: the Content-Type of an SDP answer.
    `idle_audio`: whether silence is sent between replies. `refuse_model_query`: whether `?model=` on a raw
    offer is an error (reports contradict). `refuse_bad_session`: whether a bad `session` part fails the
    request; else it is dropped, and the call lives on defaults. `refused_models`: those that exist and that
    the project may not use. `unknown_model_status`: how a model that nobody knows is refused; None takes any.
    `refuse_project_key_on_raw_sdp`, `sideband_waits_for_media`: as one report each has it.
    `connect_seconds`: how long an answered call may take to connect before it is released. `ice_patience`:
    see `LiteAgent`; None answers every check. `management_hosts`: see `Access`.
    """

    addresses: tuple[str, ...] | None = None
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    vad: Engine = "silero"
    voice: str = "recorded"
    conversation: ConversationSettings = field(default_factory=ConversationSettings)
    seed: int = 0
    faults: tuple[str, ...] = ()
    management_token: str | None = field(default=None, repr=False)
    management_hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ("*",)
    answer_media_type: str = "text/plain; charset=utf-8"
    idle_audio: bool = True
    refuse_model_query: bool = False
    refuse_bad_session: bool = True
    retired_models: frozenset[str] = RETIRED_MODELS
    refused_models: frozenset[str] = frozenset()
    unknown_model_status: Literal[403, 404] | None = 404
    refuse_project_key_on_raw_sdp: bool = False
    sideband_waits_for_media: bool = False
    connect_seconds: float = 15.0
    ice_patience: float | None = 5.0
    longest_body: int = 1024 * 1024
    read_seconds: float = 10.0
    ended_calls_kept: int = 500

    def __post_init__(self) -> None:
        if self.vad not in get_args(Engine):
            raise UsageError(
                f"there is no VAD engine {self.vad!r}", f"choose one of {', '.join(get_args(Engine))}"
            )
