"""What the recorder tells from inside of a page, made events of a timeline: sized, typed, redacted, timed."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from harness.browser.heard import RATE, PageAudio
from harness.browser.matching import PageClock
from harness.core.clock import RelativeClock, monotonic_of_wall
from harness.core.events import (
    AnswerReceived,
    AnswerRejected,
    CandidateFound,
    ClientEvent,
    ClockMatched,
    ConnectionMade,
    ConnectionUsed,
    Event,
    HarnessFailed,
    ListenerAdded,
    MicrophoneAsked,
    MicrophoneGiven,
    MicrophoneRefused,
    PageErred,
    PageLeft,
    PageOpened,
    PairSelected,
    PlaybackChanged,
    SendingStarted,
    ServerEvent,
    StateChanged,
    StatsTaken,
    TextShown,
    TrackChanged,
)
from harness.core.redaction import Redactor

LARGEST_MESSAGE = 4 << 20  # characters of one message from a page
MOST_EVENTS = 20_000  # of one call: a page that never rests must not fill our memory
MOST_DOCUMENTS = 200
MOST_SENT = 100  # bodies under way to one address

FromPage = (
    PageOpened
    | PageLeft
    | TextShown
    | PageErred
    | MicrophoneAsked
    | MicrophoneGiven
    | MicrophoneRefused
    | TrackChanged
    | ConnectionMade
    | ConnectionUsed
    | ListenerAdded
    | PlaybackChanged
    | StatsTaken
    | StateChanged
    | CandidateFound
    | PairSelected
    | AnswerReceived
    | AnswerRejected
    | ClientEvent
    | ServerEvent
    | SendingStarted
)


class _Pong(msgspec.Struct, frozen=True):
    asked: float
    answered: float
    theirs: float


class _Piece(msgspec.Struct, frozen=True):
    at: float
    rate: int
    samples: str
    track: str = ""


class _Requested(msgspec.Struct, frozen=True):
    at: float
    url: str
    has_body: bool = False


class _Told(msgspec.Struct, frozen=True):
    """One of: an event (`at` in the document's ms), a round trip, audio, a request, our own mistake."""

    event: dict[str, Any] | None = None
    ping: float | None = None
    pong: _Pong | None = None
    pcm: _Piece | None = None
    requested: _Requested | None = None
    broke: str = ""


class _Message(msgspec.Struct, frozen=True):
    document: str
    told: list[_Told]


_decoder = msgspec.json.Decoder(_Message)


class PageRecording:
    """One call's record. `tell` takes what a page's recorder sends, and answers with our time."""

    def __init__(self, record: Callable[[Event], None], clock: RelativeClock, redactor: Redactor) -> None:
        self._record = record
        self._clock = clock
        self._redactor = redactor
        self._clocks: dict[str, PageClock] = {}
        self._events = 0
        self._broken: set[str] = set()
        self._requested: dict[str, deque[float]] = {}  # URL → when a body was sent there, by the page's clock
        self._listener: Callable[[Event], None] = lambda _event: None
        self.audio = PageAudio(record)

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with each event, after it was recorded."""
        self._listener = listener

    def tell(self, text: object) -> float:
        """Take one message; anything but ours is our own failure, said once."""
        now = self._clock.now() + self._clock.origin
        try:
            if not isinstance(text, str) or len(text) > LARGEST_MESSAGE:
                raise msgspec.ValidationError("too large, or no text")
            message = _decoder.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            self._broke(f"a message of the recorder cannot be read: {error}")
            return now
        clock = self._clock_of(message.document)
        for told in message.told:
            self._take(told, clock)
        return now

    def moment(self, document: str, page_ms: float) -> float:
        """A document's moment on the timeline."""
        return max(0.0, self._clock_of(document).seconds(page_ms) - self._clock.origin)

    def requested_at(self, url: str) -> float | None:
        """When the page sent the next body to this URL; None where its code was not seen to do so."""
        waiting = self._requested.get(url)
        return waiting.popleft() if waiting else None

    def finish(self) -> None:
        """Write what was gathered: the last stretch of sound, and how well the clocks agreed."""
        self.audio.flush()
        matched = [clock for clock in self._clocks.values() if clock.round_trips]
        if matched:
            worst = max(matched, key=lambda clock: clock.error)
            self._record(
                ClockMatched(
                    at=self._clock.now(),
                    round_trips=sum(clock.round_trips for clock in matched),
                    error_ms=round(1000 * worst.error, 3),
                    corrected_ms=round(1000 * max((c.corrected for c in matched), key=abs), 3),
                )
            )

    def _clock_of(self, document: str) -> PageClock:
        if document not in self._clocks:
            if len(self._clocks) >= MOST_DOCUMENTS:
                self._clocks.pop(next(iter(self._clocks)))
            self._clocks[document] = PageClock(monotonic_of_wall())
        return self._clocks[document]

    def _at(self, clock: PageClock, page_ms: float) -> float:
        return max(0.0, clock.seconds(page_ms) - self._clock.origin)

    def _take(self, told: _Told, clock: PageClock) -> None:
        if told.pong is not None:
            clock.answered(told.pong.asked, told.pong.answered, told.pong.theirs)
        if told.pcm is not None:
            self._hear(told.pcm, clock)
        if told.requested is not None and told.requested.has_body:
            self._requested.setdefault(told.requested.url, deque(maxlen=MOST_SENT)).append(
                self._at(clock, told.requested.at)
            )
        if told.broke:
            self._broke(told.broke)
        if told.event is not None:
            self._events += 1
            if self._events <= MOST_EVENTS:
                self._event(told.event, clock)

    def _event(self, said: Mapping[str, Any], clock: PageClock) -> None:
        try:
            redacted = self._redactor.value(dict(said))
            at = self._at(clock, float(redacted["at"]))
            event = msgspec.convert({**redacted, "at": at, "side": "caller"}, FromPage)
        except (msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
            self._broke(f"an event of the recorder cannot be read: {error}")
            return
        if isinstance(event, StatsTaken):
            self.audio.stats(event)
        self._record(event)
        self._listener(event)

    def _hear(self, piece: _Piece, clock: PageClock) -> None:
        try:
            samples = np.frombuffer(base64.b64decode(piece.samples, validate=True), dtype="<i2")
        except (binascii.Error, ValueError) as error:
            self._broke(f"a piece of audio cannot be read: {error}")
            return
        if piece.rate == RATE:
            self.audio.piece(self._at(clock, piece.at), samples.astype(np.int16, copy=False))
        else:
            self._broke(f"audio of {piece.rate} Hz cannot be heard, only of {RATE}")

    def _broke(self, what: str) -> None:
        if what not in self._broken and len(self._broken) < 20:
            self._broken.add(what)
            self._record(HarnessFailed(at=self._clock.now(), error=what[:2000], where="the page's recorder"))
