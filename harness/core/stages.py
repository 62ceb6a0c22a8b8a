"""The stages of a call: what is judged at each, and how long each took, for reports, load and the doctor."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from harness.core.events import AnswerReceived, Event, HttpRequest, HttpResponse
from harness.core.probes import CALLS
from harness.core.timeline import Timeline
from harness.core.turns import turns


class CallStage(StrEnum):
    """The stage that a requirement is about: where the doctor, a load test and a report show its failure."""

    PAGE = "page opened"
    BUTTON = "button pressed"
    MICROPHONE = "microphone given"
    GATHERING = "candidates gathered"
    OFFER = "offer sent"
    ARRIVAL = "arrived at the upstream"
    ANSWER = "answer received"
    CHANNEL_ANSWER = "answer has data channel"
    ICE = "ICE connected"
    DTLS = "DTLS connected"
    CHANNEL = "data channel open"
    SESSION = "session created"
    UPDATE = "session updated"
    DETECTION = "turn detected"
    FIRST_AUDIO = "first audio"
    PLAYED = "page plays it"
    REPLY = "reply done"
    HANG_UP = "hung up"
    CALL = "the call as a whole"


class Stage(NamedTuple):
    """One stage: its start on the timeline and its duration, both in seconds; None where it never ended."""

    name: str
    start: float
    seconds: float | None


# In the order of a call. A turn's stages occur once for each utterance.
CONNECTION_STAGES = ("gathering", "answer", "ice", "dtls", "channel", "session", "set-up")
STAGE_NAMES = (*CONNECTION_STAGES, "session-update", "turn-detected", "first-audio", "turn")


def stages(timeline: Timeline) -> list[Stage]:
    """The stages that began, in the order of `STAGE_NAMES`; within one name, by time.

    gathering: our candidates. answer: the offer's POST, or the WebSocket's upgrade, to its response. ice,
    dtls: from the answer, and from
    ICE connected, to connected. channel: DTLS connected to channel open. session: open to session.created.
    set-up: the POST to the open channel, which is what a user waits for. session-update: to its reply.
    turn-detected: end of speech to speech_stopped. first-audio: end of speech to the first audible packet.
    turn: end of speech to the end of the reply's audio.
    """
    posted = timeline.first(HttpRequest, where=lambda e: e.purpose in CALLS)
    responded = timeline.first(
        HttpResponse, where=lambda e: e.purpose in CALLS and e.status not in (307, 308)
    )
    answered = timeline.first(AnswerReceived)
    connected = timeline.state("ice", "connected")
    secured = timeline.state("dtls", "connected")
    opened = timeline.state("channel", "open")
    # What is seen at the upstream's end alone says nothing of what the caller waited for.
    told = timeline.server_events("session.created") if timeline.events_side == "caller" else []
    created = next(iter(told), None)
    gathering = (timeline.state("gathering", "gathering"), timeline.state("gathering", "complete"))
    bounds: tuple[tuple[str, Event | None, Event | None], ...] = (
        ("gathering", *gathering),
        ("answer", posted, responded),
        ("ice", answered, connected),
        ("dtls", connected, secured),
        ("channel", secured, opened),
        ("session", opened if timeline.events_side == "caller" else None, created),
        ("set-up", posted, opened),
    )
    found = [Stage(name, a.at, b.at - a.at if b else None) for name, a, b in bounds if a is not None]
    return found + _updates(timeline) + _turn_stages(timeline)


def durations(timeline: Timeline) -> dict[str, list[float]]:
    """Stage name → seconds of each occurrence that ended: what percentiles are made of."""
    found: dict[str, list[float]] = {}
    for stage in stages(timeline):
        if stage.seconds is not None:
            found.setdefault(stage.name, []).append(stage.seconds)
    return found


def _updates(timeline: Timeline) -> list[Stage]:
    found = []
    for sent in timeline.client_events("session.update"):
        answers = timeline.server_events("session.updated", "error", after=sent.at)
        found.append(Stage("session-update", sent.at, answers[0].at - sent.at if answers else None))
    return found


def _turn_stages(timeline: Timeline) -> list[Stage]:
    detected, first_audio, whole = [], [], []
    for turn in turns(timeline):
        if turn.utterance is None:
            continue
        end = turn.utterance.end
        stops = [d.stopped_at for d in turn.detections if d.stopped_at is not None]
        audible = [r.last_audible for r in turn.replies if r.last_audible is not None]
        detected.append(Stage("turn-detected", end, max(stops) - end if stops else None))
        first_audio.append(Stage("first-audio", end, turn.latency))
        whole.append(Stage("turn", end, max(audible) - end if audible else None))
    return detected + first_audio + whole
