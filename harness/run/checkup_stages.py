"""The stages of a call as a page's own log has them: when each is reached, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.core.callers import caller_named
from harness.core.events import (
    AnswerReceived,
    ButtonPressed,
    CallEnded,
    CallStarted,
    CandidateFound,
    Event,
    GatewayFound,
    HttpRequest,
    HttpResponse,
    IceServerTried,
    MicrophoneAsked,
    MicrophoneGiven,
    OfferCreated,
    PageOpened,
    PairSelected,
    PlaybackChanged,
    UtteranceEnded,
    UtteranceStarted,
)
from harness.core.fields import field
from harness.core.probes import OFFER, UPGRADE
from harness.core.sdp import parse_sdp
from harness.core.session import session_in_force, turn_detection
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import replies
from harness.requirements.arrivals import offers_arrived

LONGEST_QUOTE = 120  # characters of what was said


@dataclass(frozen=True)
class CheckupStage:
    """A stage to tick off; `timed` is its name in `core.stages`.

    `covers` are the stages that requirements are about: what is wrong with one of them is shown here. `seen`:
    whether a call can show it at all.
    """

    name: str
    reached: Callable[[Timeline], float | None]
    detail: Callable[[Timeline], str]
    covers: tuple[CallStage, ...] = ()
    timed: str = ""
    seen: Callable[[Timeline], bool] = lambda _timeline: True


# --- when a stage is reached --------------------------------------------------------------------------


def _first(kind: type[Event]) -> Callable[[Timeline], float | None]:
    return lambda timeline: _at(timeline.first(kind))


def _of_state(layer: Any, state: str) -> Callable[[Timeline], float | None]:
    return lambda timeline: _at(timeline.state(layer, state))


def _server_event(*types: str) -> Callable[[Timeline], float | None]:
    return lambda timeline: _at(next(iter(timeline.server_events(*types)), None))


def _at(event: Event | None) -> float | None:
    return event.at if event else None


def _gathered(timeline: Timeline) -> float | None:
    """Told with the offer, since the candidates themselves are recorded just after the state."""
    return _at(timeline.state("gathering", "complete")) if timeline.first(OfferCreated) else None


def _offered(timeline: Timeline) -> float | None:
    return _at(timeline.first(HttpRequest, where=lambda e: e.purpose == OFFER))


def _arrived(timeline: Timeline) -> float | None:
    """The offer, in whatever shape; told when the call is over, for then the fake is asked."""
    return min((arrival.at for arrival in offers_arrived(timeline)), default=None)


def _answer_with_channel(timeline: Timeline) -> float | None:
    answer = timeline.first(AnswerReceived)
    section = parse_sdp(answer.sdp).section("application") if answer else None
    return answer.at if answer and section and not section.rejected else None


def _heard(timeline: Timeline) -> float | None:
    return min((r.first_audible for r in replies(timeline) if r.first_audible is not None), default=None)


def _hung_up(timeline: Timeline) -> float | None:
    """Without an answer, or an open WebSocket, there was nothing to hang up."""
    begun = timeline.first(AnswerReceived) or (_is_websocket(timeline) and timeline.state("channel", "open"))
    return _at(timeline.last(CallEnded)) if begun else None


def _upgrade_asked(timeline: Timeline) -> float | None:
    return _at(timeline.first(HttpRequest, where=lambda e: e.purpose == UPGRADE))


def _is_websocket(timeline: Timeline) -> bool:
    started = timeline.first(CallStarted)
    return started is not None and "offer" in caller_named(started.caller).unseen


def _is_webrtc(timeline: Timeline) -> bool:
    return not _is_websocket(timeline)


# --- what is said of it -------------------------------------------------------------------------------


def _nothing(_timeline: Timeline) -> str:
    return ""


def _candidates(timeline: Timeline) -> str:
    types = Counter(candidate.type for candidate in timeline.all(CandidateFound))
    told = [kind if n == 1 else f"{n} {kind}" for kind, n in types.items()]
    told += [f"{tried.url}: {tried.error}" for tried in timeline.all(IceServerTried) if tried.error]
    return ", ".join(told) or "no candidate"


def _request(timeline: Timeline) -> str:
    sent = timeline.first(HttpRequest, where=lambda e: e.purpose == OFFER)
    if sent is None:
        return ""
    kind = next((v for n, v in sent.headers if n.lower() == "content-type"), "").partition(";")[0]
    return f"{sent.method} {kind}, {len(sent.body)} bytes"


def _arrival(timeline: Timeline) -> str:
    """What arrived, from whom: the last, which a relay that tries several gets its answer from."""
    told = offers_arrived(timeline)
    if not told:
        return ""
    last = told[-1]
    return f"{last.method} {last.url} from {last.peer}{f' ({last.agent})' if last.agent else ''}"


def _both_ends_seen(timeline: Timeline) -> bool:
    started = timeline.first(CallStarted)
    if not _is_webrtc(timeline) or timeline.first(GatewayFound) is not None:
        return False  # a gateway passes no offer on
    return started is None or (started.mode != "black-box" and started.passes_events)


def _response(timeline: Timeline) -> str:
    response = timeline.first(HttpResponse, where=lambda e: e.purpose == OFFER)
    if response is None:
        return ""
    kind = next((v for n, v in response.headers if n.lower() == "content-type"), "no content type")
    return f"status {response.status}, {kind}"


def _upgrade(timeline: Timeline) -> str:
    asked = timeline.first(HttpRequest, where=lambda e: e.purpose == UPGRADE)
    offered = (
        next((v for n, v in asked.headers if n.lower() == "sec-websocket-protocol"), "") if asked else ""
    )
    return f"GET{f', {offered}' if offered else ''}"


def _opened(timeline: Timeline) -> str:
    response = timeline.first(HttpResponse, where=lambda e: e.purpose == UPGRADE)
    return f"status {response.status}" if response else ""


def _pair(timeline: Timeline) -> str:
    pair = timeline.last(PairSelected)
    return f"{pair.local} to {pair.remote}" if pair else ""


def _session(timeline: Timeline) -> str:
    session = session_in_force(timeline)
    voice = field(session, "audio", "output", "voice")
    vad = turn_detection(session).kind
    parts = [session.get("model"), voice and f"voice {voice}", vad if vad != "unknown" else ""]
    return ", ".join(str(part) for part in parts if part)


def _said(timeline: Timeline) -> str:
    said = timeline.first(UtteranceStarted)
    return f"{said.clip}: {_quoted(said.transcript)}" if said else ""


def _replied(timeline: Timeline) -> str:
    reply = next((r for r in replies(timeline) if r.done_at is not None), None)
    if reply is None:
        return ""
    return _quoted(reply.transcript) if reply.transcript else reply.status


def _quoted(text: str) -> str:
    one_line = " ".join(text.split())
    return f"“{one_line[:LONGEST_QUOTE]}{'…' if len(one_line) > LONGEST_QUOTE else ''}”" if text else ""


def _is_a_page(timeline: Timeline) -> bool:
    started = timeline.first(CallStarted)
    return started is not None and started.caller == "page"


def _page(timeline: Timeline) -> str:
    opened = timeline.first(PageOpened)
    return opened.url if opened else ""


def _button(timeline: Timeline) -> str:
    pressed = timeline.all(ButtonPressed, where=lambda e: e.what == "start")
    return ", ".join(f"{_quoted(p.text)}{' (found)' if p.found else ''}" for p in pressed)


def _microphone(timeline: Timeline) -> str:
    asked = timeline.first(MicrophoneAsked)
    audio = asked.constraints.get("audio") if asked else None
    return ", ".join(f"{name}: {value}" for name, value in audio.items()) if isinstance(audio, dict) else ""


def _played(timeline: Timeline) -> float | None:
    """From when on both are true: sound comes, and the page plays it."""
    heard = _heard(timeline)
    ways = [c for c in timeline.all(PlaybackChanged) if c.playing]
    return max(heard, ways[0].at) if heard is not None and ways else None


def _ways(timeline: Timeline) -> str:
    ways = [p for c in timeline.all(PlaybackChanged) for p in c.paths if p.state == "playing"]
    return "an audio element" if any(p.by == "element" for p in ways) else "Web Audio" if ways else ""


# As in the log that a page writes while it connects, from gathering to the first audible packet.
STAGES: Sequence[CheckupStage] = (
    CheckupStage("page opened", _first(PageOpened), _page, (CallStage.PAGE,), seen=_is_a_page),
    CheckupStage(
        "button pressed",
        _first(ButtonPressed),
        _button,
        (CallStage.BUTTON,),
        seen=_is_a_page,
    ),
    CheckupStage(
        "microphone given",
        _first(MicrophoneGiven),
        _microphone,
        (CallStage.MICROPHONE,),
        seen=_is_a_page,
    ),
    CheckupStage(
        "candidates gathered", _gathered, _candidates, (CallStage.GATHERING,), "gathering", seen=_is_webrtc
    ),
    CheckupStage("offer sent", _offered, _request, (CallStage.OFFER,), seen=_is_webrtc),
    CheckupStage("arrived at the fake", _arrived, _arrival, (CallStage.ARRIVAL,), seen=_both_ends_seen),
    CheckupStage(
        "answer received",
        _first(AnswerReceived),
        _response,
        (CallStage.ANSWER,),
        "answer",
        seen=_is_webrtc,
    ),
    CheckupStage(
        "answer has data channel",
        _answer_with_channel,
        _nothing,
        (CallStage.CHANNEL_ANSWER,),
        seen=_is_webrtc,
    ),
    CheckupStage("ICE checking", _of_state("ice", "checking"), _nothing, seen=_is_webrtc),
    CheckupStage(
        "ICE connected", _of_state("ice", "connected"), _pair, (CallStage.ICE,), "ice", seen=_is_webrtc
    ),
    CheckupStage(
        "DTLS connected",
        _of_state("dtls", "connected"),
        _nothing,
        (CallStage.DTLS,),
        "dtls",
        seen=_is_webrtc,
    ),
    CheckupStage(
        "data channel open",
        _of_state("channel", "open"),
        _nothing,
        (CallStage.CHANNEL,),
        "channel",
        seen=_is_webrtc,
    ),
    CheckupStage("WebSocket asked for", _upgrade_asked, _upgrade, (), seen=_is_websocket),
    CheckupStage(
        "WebSocket open",
        _of_state("channel", "open"),
        _opened,
        (CallStage.ANSWER, CallStage.CHANNEL),
        "answer",
        seen=_is_websocket,
    ),
    CheckupStage(
        "session created",
        _server_event("session.created"),
        _session,
        (CallStage.SESSION, CallStage.UPDATE),
        "session",
    ),
    CheckupStage("speech sent", _first(UtteranceEnded), _said),
    CheckupStage(
        "turn detected",
        _server_event("input_audio_buffer.speech_stopped"),
        _nothing,
        (CallStage.DETECTION,),
        "turn-detected",
    ),
    CheckupStage("first audio", _heard, _nothing, (CallStage.FIRST_AUDIO,), "first-audio"),
    CheckupStage("page plays it", _played, _ways, (CallStage.PLAYED,), seen=_is_a_page),
    CheckupStage("reply done", _server_event("response.done"), _replied, (CallStage.REPLY,), "turn"),
    CheckupStage("hung up", _hung_up, _nothing, (CallStage.HANG_UP, CallStage.CALL)),
)
