"""What the fake is run with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.core.errors import UsageError
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.hearing.detectors import Engine
from harness.fakes.openai.switches import switch

# RFC 9110, section 8.3.1, in printable ASCII.
MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~\w-]+/[!#$%&'*+.^_`|~\w-]+(?:; *[\x21-\x7e]+)*", re.ASCII)


@dataclass(frozen=True)
class FakeSettings:
    """`addresses`: where to gather candidates; None for every address but loopback.

    `api_keys`: those accepted; with none, any but a placeholder such as `undefined`. `connect_seconds`: how
    long an answered call may take to connect before it is released. `management_hosts`: see `Access`. What
    is a switch says itself what it is.
    """

    addresses: tuple[str, ...] | None = None
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    conversation: ConversationSettings = field(default_factory=ConversationSettings)
    seed: int = 0
    faults: tuple[str, ...] = ()
    management_token: str | None = field(default=None, repr=False)
    management_hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ("*",)
    vad: Engine = switch("silero", "what hears speech: silero is accurate, webrtc is cheap, for load")
    voice: str = switch("recorded", "what is heard of a reply: recorded[:CLIP], echo, or mark")
    ice_patience: float | None = switch(
        5.0,
        "seconds after nomination until connectivity checks without USE-CANDIDATE get no answer; off: answer "
        "all",
    )
    answer_media_type: str = switch("text/plain; charset=utf-8", "the Content-Type of an SDP answer")
    answers_only: bool = switch(
        False, "answer each offer, and go no further: no ICE, no DTLS; for load by offers alone"
    )
    answers_only_ufrags: str = ""  # the same for offers whose names begin so, beside calls that go on
    idle_audio: bool = switch(True, "send silence between replies")
    refuse_model_query: bool = switch(False, "refuse ?model= on a raw offer")
    refuse_bad_session: bool = switch(
        True,
        "refuse a request whose session is bad; else the session is dropped, and the call has the defaults",
    )
    refused_models: frozenset[str] = switch(
        frozenset(), "a model that the project may not use (403 model_not_found)"
    )
    unknown_model_status: Literal[403, 404] | None = switch(
        404, "how a model that nobody knows is refused; off: any is taken"
    )
    refuse_project_key_on_raw_sdp: bool = switch(
        False,
        "refuse a raw offer that comes with a project key",
    )
    sideband_waits_for_media: bool = switch(False, "let no sideband in before the media is up")
    connect_seconds: float = 15.0
    longest_body: int = 1024 * 1024
    read_seconds: float = 10.0
    ended_calls_kept: int = 500

    def __post_init__(self) -> None:
        if self.vad not in get_args(Engine):
            raise UsageError(
                f"there is no VAD engine {self.vad!r}", f"choose one of {', '.join(get_args(Engine))}"
            )
        if not MEDIA_TYPE.fullmatch(self.answer_media_type):
            raise UsageError(
                f"{self.answer_media_type!r} is no media type",
                "try application/sdp or text/plain; charset=utf-8",
            )
        if not all(name.strip() for name in self.refused_models):
            raise UsageError("a refused model needs a name", "such as gpt-realtime-2.1")
