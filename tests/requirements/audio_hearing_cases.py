"""What provokes each cause of a call in which nothing is heard, though no single rule is broken."""

from __future__ import annotations

from typing import Any

from harness.core.events import Event
from tests.requirements.cases import case
from tests.requirements.session_cases import VAD_OFF
from tests.requirements.turns_cases import BEFORE_RESPONSE, BEFORE_SPEECH
from tests.support.editing import until
from tests.support.timelines import SESSION, client, healthy_events, packets, server, utterance

Events = list[Event]
SILENCE = -96.0


def answered(*events: Event) -> Events:
    """The healthy call up to the end of its turn, and what comes then in place of its reply."""
    return [*until(healthy_events(), BEFORE_RESPONSE, 12.0), *events]


def response(rid: str = "resp_1", at: float = 3.9, **done: Any) -> Events:
    """A response that is created and done, and nothing between."""
    usage = {
        "total_tokens": 60,
        "input_tokens": 50,
        "output_tokens": 10,
        "input_token_details": {"text_tokens": 30, "audio_tokens": 20},
        "output_token_details": {"text_tokens": 10, "audio_tokens": 0},
    }
    ended = {"id": rid, "status": "completed", "output": [], "usage": usage, **done}
    return [
        server(at, "response.created", response={"id": rid, "status": "in_progress"}),
        server(at + 0.5, "response.done", response=ended),
    ]


def text() -> dict[str, Any]:
    return {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Tomorrow."}]}]}


@case("audio.something-heard", "text-only-session")
def the_session_is_text_only() -> Events:
    session = {**SESSION, "output_modalities": ["text"]}
    return [*answered(*response(**text())), server(0.9, "session.updated", session=session)]


@case("audio.something-heard", "text-only-session")
def one_response_is_asked_for_as_text() -> Events:
    return answered(*response(**text(), output_modalities=["text"]))


@case("audio.something-heard", "text-only-session")
def there_is_silence_on_the_track_meanwhile() -> Events:
    return answered(*response(**text(), output_modalities=["text"]), packets(4.0, 3000, dbfs=SILENCE))


@case("audio.something-heard", "reply-without-audio")
def the_output_is_empty() -> Events:
    return answered(*response())


@case("audio.something-heard", "reply-without-audio")
def the_audio_part_is_empty() -> Events:
    content = [{"type": "output_audio", "transcript": ""}]
    return answered(*response(output=[{"type": "message", "content": content}]))


@case("audio.something-heard", "reply-without-audio")
def only_text_comes_where_audio_was_asked_for() -> Events:
    return answered(*response(**text()))


@case("audio.something-heard", "reply-cut-off")
def the_reply_is_cancelled_before_it_is_heard() -> Events:
    return answered(*response(status="cancelled", status_details={"reason": "client_cancelled"}))


def by_hand(*events: Event) -> Events:
    """The caller switched turn detection off and speaks."""
    started = until(healthy_events(), BEFORE_SPEECH, 14.0)
    off = client(0.7, "session.update", session={"type": "realtime", "audio": VAD_OFF["audio"]})
    told = server(0.8, "session.updated", session={**SESSION, **VAD_OFF})
    return [*started, off, told, *utterance(1.0), *events]


@case("audio.something-heard", "turn-never-committed")
def nobody_commits_what_was_said() -> Events:
    return by_hand()


def committed() -> Events:
    commit = client(3.6, "input_audio_buffer.commit")
    return [commit, server(3.65, "input_audio_buffer.committed", item_id="item_1")]


@case("audio.something-heard", "response-never-asked")
def nobody_asks_for_a_response() -> Events:
    return by_hand(*committed())


@case("audio.something-heard", "nothing-heard")
def a_response_is_asked_for_in_vain() -> Events:
    return by_hand(*committed(), client(3.7, "response.create"))
