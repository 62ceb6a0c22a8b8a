"""One healthy call of a web page, from which a test takes one thing away."""

from __future__ import annotations

import msgspec

from harness.core.events import (
    ButtonPressed,
    CallStarted,
    ConnectionMade,
    ConnectionUsed,
    Event,
    ListenerAdded,
    MicrophoneAsked,
    MicrophoneGiven,
    PacketsReceived,
    PageLeft,
    PageOpened,
    PlaybackChanged,
    PlayPath,
    RequestMade,
    StatsTaken,
    StretchHeard,
    TextShown,
    TrackChanged,
)
from tests.support.timelines import OFFER, call_started, healthy_events

URL = "http://127.0.0.1:3000/voice"
PLAYING = (PlayPath(by="element", state="playing"),)


def page_started() -> CallStarted:
    """The first event of a call that a page makes."""
    return msgspec.structs.replace(call_started(), caller="page")


def used(at: float, method: str, detail: str = "", *, sdp: str = "", error: str = "") -> ConnectionUsed:
    """The page calls a method of its first connection."""
    return ConnectionUsed(at=at, connection=1, method=method, detail=detail, sdp=sdp, error=error)


def played(at: float, *paths: PlayPath) -> PlaybackChanged:
    """From now on the received track is played so."""
    return PlaybackChanged(at=at, track="reply", paths=paths)


def beginning() -> list[Event]:
    """From the page's first script to its offer."""
    servers = {"iceServers": [{"urls": "stun:stun.example.com"}], "bundlePolicy": "max-bundle"}
    return [
        PageOpened(at=0.001, url=URL),
        RequestMade(at=0.002, method="GET", url=URL, type="document", status=200, took=0.01),
        TextShown(at=0.005, text="Press the button to begin."),
        ButtonPressed(at=0.01, what="start", selector="text=Start call", text="Start call"),
        ConnectionMade(at=0.015, connection=1, configuration=servers),
        ListenerAdded(at=0.016, connection=1, on="connection", type="track"),
        MicrophoneAsked(at=0.017, constraints={"audio": {"echoCancellation": True}}),
        MicrophoneGiven(at=0.02, track="voice"),
        used(0.021, "addTrack", detail="audio"),
        used(0.022, "createDataChannel", detail="oai-events"),
        ListenerAdded(at=0.023, connection=1, on="channel", type="message"),
        used(0.024, "createOffer"),
        used(0.03, "createOffer", detail="done", sdp=OFFER),
        used(0.032, "setLocalDescription"),
    ]


def page_events() -> list[Event]:
    """One turn, a session.update, and everything as it should be."""
    heard = [
        StretchHeard(
            at=e.at,
            until=e.packets[-1].at + 0.02,
            ssrc=0,
            audible=True,
            packets=len(e.packets),
            media_ms=20.0 * len(e.packets),
        )
        if isinstance(e, PacketsReceived)
        else e
        for e in healthy_events()
    ]
    return [
        *(page_started() if isinstance(e, CallStarted) else e for e in heard),
        *beginning(),
        used(0.1501, "setRemoteDescription", detail="answer"),
        TrackChanged(at=0.155, track="reply", received=True),
        played(0.156),
        played(0.16, *PLAYING),
        played(8.013),
        TextShown(at=0.4, text="Listening"),
        StatsTaken(at=1.2, sent=50, received=50),
        ButtonPressed(at=8.005, what="stop", selector="text=Hang up", text="Hang up"),
        used(8.008, "close channel"),
        used(8.01, "close"),
        TrackChanged(at=8.012, track="voice", ended=True),
        TextShown(at=8.03, text="The call is over."),
        PageLeft(at=8.065, url=URL),
    ]
