"""What a web page does while it makes a call, as seen from inside its browser."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from harness.core.events.base import Event


class PageOpened(Event, frozen=True, kw_only=True):
    """A document of the page began: the page's own, or one that it went to.

    `frame`: it is beside the page's own, in an iframe or in a window that the page opened. `secure`: it is a
    secure context, as its browser says: only there are microphones to be had.
    """

    url: str
    frame: bool = False
    secure: bool = True


class PageLeft(Event, frozen=True, kw_only=True):
    """The document is gone: navigated away from, reloaded or closed."""

    url: str


class ButtonPressed(Event, frozen=True, kw_only=True):
    """A button was pressed as a person would: `text` is what stands on it, `what` what it is for.

    `found`: nobody named it, the page had one that was obvious. `times`: 2 is a double click.
    """

    what: Literal["start", "stop", "mute"]
    selector: str
    text: str = ""
    found: bool = False
    times: int = 1


class TextShown(Event, frozen=True, kw_only=True):
    """This text is on the page now, and was not there before; `dialog`: in an alert."""

    text: str
    dialog: bool = False


class MicrophoneAsked(Event, frozen=True, kw_only=True):
    """getUserMedia was called for audio, with these constraints."""

    constraints: dict[str, Any] = msgspec.field(default_factory=dict)


class MicrophoneGiven(Event, frozen=True, kw_only=True):
    """The page has its track."""

    track: str


class MicrophoneRefused(Event, frozen=True, kw_only=True):
    """getUserMedia was rejected: `error` is the DOMException's name (`NotAllowedError`, …).

    `planned`: the harness refused it, as it was told to; else the browser did, though there is a microphone.
    `policy_forbids`: the document's permissions policy gives it no microphone.
    """

    error: str
    message: str = ""
    planned: bool = True
    policy_forbids: bool = False


class TrackChanged(Event, frozen=True, kw_only=True):
    """A track of the microphone, or one that is received, as it is now."""

    track: str
    received: bool = False
    enabled: bool = True
    ended: bool = False


class ConnectionMade(Event, frozen=True, kw_only=True):
    """`new RTCPeerConnection(configuration)`: the page's first is number 1. Credentials are left out."""

    connection: int
    configuration: dict[str, Any] = msgspec.field(default_factory=dict)


class ConnectionUsed(Event, frozen=True, kw_only=True):
    """The page called a method of a connection or its channel, or read its localDescription.

    `sdp` is the description that it got or gave. `error`: the name and message of what was thrown.
    """

    connection: int
    method: str
    detail: str = ""
    sdp: str = ""
    error: str = ""


class ListenerAdded(Event, frozen=True, kw_only=True):
    """The page began to listen to `type` events of a connection or its channel."""

    connection: int
    on: Literal["connection", "channel"]
    type: str


class PlayPath(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way by which a received track could reach the loudspeaker.

    `state`: playing; paused, muted, silent (volume 0), waiting (no data yet), refused (play() was rejected:
    see `error`); of Web Audio, suspended, closed, or unconnected (it does not lead to the destination).
    """

    by: Literal["element", "web-audio"]
    state: str
    error: str = ""


class PlaybackChanged(Event, frozen=True, kw_only=True):
    """From now on the page plays a received track by these ways; by none, nobody hears it."""

    track: str
    paths: tuple[PlayPath, ...] = ()

    @property
    def playing(self) -> bool:
        return any(path.state == "playing" for path in self.paths)


class StatsTaken(Event, frozen=True, kw_only=True):
    """getStats of the call's connection: audio packets since its beginning, jitter in ms.

    `concealed_ms`: what the browser made up for packets that were late or lost.
    """

    sent: int = 0
    received: int = 0
    lost: int = 0
    jitter_ms: float = 0.0
    concealed_ms: float = 0.0


class PageErred(Event, frozen=True, kw_only=True):
    """Something went wrong in the page's own code: uncaught, unhandled (a rejection) or console.error."""

    source: Literal["uncaught", "unhandled", "console"]
    message: str


class RequestMade(Event, frozen=True, kw_only=True):
    """A request of the page that was not its offer; `status` None: it failed. `took` in seconds."""

    method: str
    url: str
    type: str = ""
    status: int | None = None
    took: float = 0.0


class ClockMatched(Event, frozen=True, kw_only=True):
    """The browser's clock against ours, by round trips: `error_ms` at most is what its moments are off by."""

    round_trips: int
    error_ms: float
    corrected_ms: float = 0.0


class ChannelSilenced(Event, frozen=True, kw_only=True):
    """On purpose the data channel of this call never opens: what it would send is lost, and nothing else."""


class UserLeft(Event, frozen=True, kw_only=True):
    """In mid-call the page's user is gone, and pressed no button of the page's."""

    how: Literal["back", "tab closed"]


class ScreenshotTaken(Event, frozen=True, kw_only=True):
    """A picture of the page, a JPEG file."""

    why: str
    image: bytes = b""


AnyPageEvent = (
    PageOpened
    | PageLeft
    | ButtonPressed
    | TextShown
    | MicrophoneAsked
    | MicrophoneGiven
    | MicrophoneRefused
    | TrackChanged
    | ConnectionMade
    | ConnectionUsed
    | ListenerAdded
    | PlaybackChanged
    | StatsTaken
    | PageErred
    | RequestMade
    | ClockMatched
    | ChannelSilenced
    | UserLeft
    | ScreenshotTaken
)
