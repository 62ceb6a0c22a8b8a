"""What the page does with its channel and its microphone while the call lasts."""

from __future__ import annotations

import re
from typing import Any

from harness.core.events import (
    ListenerAdded,
    SendingStarted,
    ServerEvent,
    TextShown,
    UtteranceStarted,
)
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import hang_up_at
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.seen import OFFERING, PAGE, pressed, the_connection, tracks_at, uses
from harness.requirements.registry import requirement

# Fields of a session as the beta had them; since August 2025 they stand elsewhere, or are called otherwise.
BETA_FIELDS = (
    "modalities",
    "voice",
    "input_audio_format",
    "output_audio_format",
    "input_audio_transcription",
    "input_audio_noise_reduction",
    "turn_detection",
    "temperature",
    "max_response_output_tokens",
)
# What a page says when one may speak, in English and Spanish.
READY = re.compile(
    r"\b(listening|speak now|start speaking|you can (now )?(speak|talk)|go ahead|escuchando|te "
    r"escucho|habla ahora|"
    r"ya puedes hablar|puedes hablar|listo para escuchar)\b",
    re.IGNORECASE,
)
SLACK = 0.05  # seconds by which a text is told later than it was shown, at most twice


def _channel_closed(timeline: Timeline) -> NotApplicable | None:
    return None if timeline.state("channel", "open") else NotApplicable("the data channel never opened")


def _nothing_said(timeline: Timeline) -> NotApplicable | None:
    return None if timeline.first(UtteranceStarted) else NotApplicable("nothing was said")


OPEN = Condition("the data channel opened", _channel_closed)
SAID = Condition("something was said", _nothing_said)


@requirement(
    "page.sends-after-open",
    "Nothing is sent before the channel is open",
    level=Level.MUST,
    because=Because.CLAUSE,
    severity=Severity.CRITICAL,
    stage=CallStage.CHANNEL,
    source=Source(
        "WebRTC, section 6.2, send()",
        "In another state than open, send() throws an InvalidStateError; the message is gone.",
        "https://www.w3.org/TR/webrtc/#dom-rtcdatachannel-send",
    ),
    needs=("page.channel-before-offer",),
    when=(PAGE, OFFERING),
    causes={
        "sent-before-open": Cause(
            "the page sent an event while its channel was not open, and the event is lost",
            "send in the channel's open event (dc.onopen), or keep events until then",
        )
    },
)
def sends_after_open(timeline: Timeline) -> Finding:
    """No send() throws before the hang-up."""
    failed = [e for e in uses(timeline, "send") if e.error and e.detail == "connecting"]
    if not failed:
        return None
    opened = timeline.state("channel", "open")
    evidence = [Evidence(e.at, f"send(): {e.error}") for e in failed[:3]]
    evidence += [Evidence(opened.at, "the channel was open")] if opened else []
    return Violation("sent-before-open", failed[0].error, tuple(evidence))


@requirement(
    "page.listens-in-time",
    "The page listens before the first event comes",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.SESSION,
    source=Source(
        "DOM Standard, section 2; OpenAI Realtime guide, WebRTC",
        "An event that is dispatched before its listener was added is not dispatched again. session.created "
        "comes within milliseconds of the open channel.",
        "https://platform.openai.com/docs/guides/realtime-webrtc",
    ),
    when=(PAGE, OFFERING, OPEN),
    causes={
        "listens-late": Cause(
            "the page began to listen to its channel when events had come already",
            "set dc.onmessage right after createDataChannel(), before the first await",
        ),
        "never-listens": Cause(
            "the page never listens to its channel, so it knows of no event",
            "set dc.onmessage right after createDataChannel(): errors, transcripts and ends of turns "
            "come there",
            level=Level.SHOULD,
            because=Because.ADVICE,
        ),
    },
)
def listens_in_time(timeline: Timeline) -> Finding:
    """A message listener of the channel is there before the first server event."""
    first = timeline.first(ServerEvent)
    if first is None:
        return NotApplicable("no event came")
    number = the_connection(timeline)
    listener = timeline.first(
        ListenerAdded, where=lambda e: e.connection == number and e.on == "channel" and e.type == "message"
    )
    if listener is not None and listener.at <= first.at:
        return None
    missed = timeline.all(ServerEvent, before=listener.at if listener else hang_up_at(timeline))
    evidence = tuple(Evidence(e.at, f"{e.type or e.raw[:60]}, heard by nobody") for e in missed[:3])
    if listener is None:
        return Violation("never-listens", f"{len(missed)} events came", evidence)
    seen = f"{listener.at - first.at:.2f} s after {first.type}; {len(missed)} events were missed"
    return Violation("listens-late", seen, (*evidence, Evidence(listener.at, "the page listens")))


@requirement(
    "page.update-shape",
    "A session.update has the shape of today's API",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.UPDATE,
    source=Source(
        "OpenAI API reference, session.update; Realtime GA migration",
        "A session has a type, audio settings stand under audio.input and audio.output; the beta's "
        "fields are "
        "refused with an error event, and nothing of the update takes effect.",
        "https://platform.openai.com/docs/api-reference/realtime-client-events/session/update",
    ),
    when=(PAGE, OFFERING, OPEN),
    causes={
        "beta-shape": Cause(
            "the page sends session.update in the shape of the beta",
            'send {"type": "realtime", "audio": {"input": {"turn_detection": …}, "output": {"voice": …}}}: '
            "modalities is output_modalities now, and formats are objects",
        )
    },
)
def update_shape(timeline: Timeline) -> Finding:
    """No field of the beta at its old place, and a type."""
    for sent in timeline.client_events("session.update"):
        session: Any = sent.event.get("session")
        if not isinstance(session, dict):
            continue
        old = [name for name in BETA_FIELDS if name in session]
        if old or "type" not in session:
            seen = f"with {', '.join(old)}" if old else "without session.type"
            return Violation(
                "beta-shape", seen, (Evidence(sent.at, f"session.update: {str(session)[:200]}"),)
            )
    return None


@requirement(
    "page.ready-when-open",
    "The page says that it listens when it does, and not before",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    stage=CallStage.CHANNEL,
    source=Source(
        "OpenAI Realtime guide, WebRTC",
        "Until the data channel is open, media does not flow, and what is said is heard by nobody.",
        "https://platform.openai.com/docs/guides/realtime-webrtc",
    ),
    when=(PAGE, OFFERING, OPEN),
    causes={
        "ready-too-early": Cause(
            "the page said that it listens before its channel was open",
            "show it in the channel's open event, and count the duration from there; until then say that it "
            "connects",
        )
    },
)
def ready_when_open(timeline: Timeline) -> Finding:
    """No text that invites to speak, between the button and the open channel."""
    opened, press = timeline.state("channel", "open"), pressed(timeline, "start")
    if opened is None or press is None:
        return None
    early = timeline.first(
        TextShown, after=press.at, before=opened.at - SLACK, where=lambda e: READY.search(e.text) is not None
    )
    if early is None:
        return None
    seen = f"{early.text!r}, {opened.at - early.at:.2f} s too early"
    evidence = (Evidence(early.at, f"shown: {early.text}"), Evidence(opened.at, "the channel was open"))
    return Violation("ready-too-early", seen, evidence)


@requirement(
    "page.microphone-sent",
    "What is said into the microphone is sent",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.DETECTION,
    source=Source(
        "WebRTC, section 5.2; Media Capture and Streams, section 4.3.1",
        "What a sender's track carries is sent; a track that is disabled or ended carries silence.",
        "https://www.w3.org/TR/mediacapture-streams/#track-enabled",
    ),
    needs=("page.asks-for-microphone", "page.waits-for-microphone"),
    when=(PAGE, OFFERING, OPEN, SAID),
    causes={
        "track-disabled": Cause(
            "the page's microphone was muted (enabled = false) while somebody spoke",
            "set track.enabled = true when the call begins, and let the mute button alone change it",
        ),
        "track-ended": Cause(
            "the page had stopped its microphone while the call went on",
            "keep the stream that getUserMedia gave until the hang-up; a stream that is asked for only "
            "to get "
            "the permission must not be the one that is sent",
        ),
        "track-not-sent": Cause(
            "the page has the microphone, and sends nothing of it",
            "call addTrack(stream.getAudioTracks()[0], stream) before createOffer(); a transceiver that is "
            "recvonly sends nothing",
        ),
    },
)
def microphone_sent(timeline: Timeline) -> Finding:
    """While the first utterance was spoken, a live and enabled track was sent."""
    said = timeline.first(UtteranceStarted)
    if said is None:
        return None
    added = uses(timeline, "addTrack", "addTransceiver", "addStream")
    evidence = tuple(Evidence(e.at, f"{e.method}({e.detail})") for e in added[:3])
    tracks = tracks_at(timeline, said.at, received=False)
    quotes = tuple(Evidence(t.at, f"track ended: {t.ended}, enabled: {t.enabled}") for t in tracks.values())
    if tracks and all(track.ended for track in tracks.values()):
        return Violation("track-ended", "its track was ended", quotes)
    if said.muted:
        return Violation("track-disabled", f"{said.clip} was said into a muted track", quotes)
    if timeline.first(SendingStarted) is None:
        return Violation("track-not-sent", "no packet of audio went out", evidence)
    return None
