"""What a web page did in its call: pictures, and what it did between them, in lines."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.events import (
    ButtonPressed,
    ConnectionMade,
    ConnectionUsed,
    Event,
    MicrophoneAsked,
    MicrophoneGiven,
    MicrophoneRefused,
    PageErred,
    PageLeft,
    PageOpened,
    PlaybackChanged,
    ScreenshotTaken,
    TextShown,
    TrackChanged,
)
from harness.core.timeline import Timeline

MOST_LINES = 200
LARGEST_PICTURE = 400_000  # bytes: one of an ordinary page has some 30 000


@dataclass(frozen=True)
class Picture:
    """A screenshot: when, why, and its JPEG in base64."""

    at: float
    why: str
    data: str


@dataclass(frozen=True)
class PageLine:
    """Something that the page did, in words."""

    at: float
    text: str


def taken(timeline: Timeline) -> tuple[Picture, ...]:
    """The screenshots of a call, in order."""
    return tuple(
        Picture(e.at, e.why, base64.b64encode(e.image).decode("ascii"))
        for e in timeline.all(ScreenshotTaken)
        if 0 < len(e.image) <= LARGEST_PICTURE
    )


def done(timeline: Timeline) -> tuple[PageLine, ...]:
    """What the page did, in order; none where no page made the call."""
    return tuple(_lines(timeline))[:MOST_LINES]


def _lines(timeline: Timeline) -> Iterator[PageLine]:
    for event in timeline:
        if text := _said(event):
            yield PageLine(event.at, text)


def _said(event: Event) -> str:
    match event:
        case PageOpened():
            return f"opened {event.url}"
        case PageLeft():
            return f"left {event.url}"
        case ButtonPressed():
            return (
                f"pressed {event.text or event.selector!r} ({event.what}{', found' if event.found else ''})"
            )
        case TextShown():
            return f"shows: {event.text}"
        case MicrophoneAsked():
            return f"asks for the microphone: {event.constraints}"
        case MicrophoneGiven():
            return "has the microphone"
        case MicrophoneRefused():
            return f"is refused the microphone: {event.error}"
        case TrackChanged():
            whose = "received track" if event.received else "microphone"
            return f"{whose}: {'ended' if event.ended else 'enabled' if event.enabled else 'disabled'}"
        case ConnectionMade():
            return f"new RTCPeerConnection, number {event.connection}"
        case ConnectionUsed():
            error = f" throws {event.error}" if event.error else ""
            return f"{event.method} {event.detail}".rstrip() + error
        case PlaybackChanged():
            return f"plays by: {', '.join(f'{p.by} ({p.state})' for p in event.paths) or 'nothing'}"
        case PageErred():
            return f"{event.source}: {event.message}"
    return ""
