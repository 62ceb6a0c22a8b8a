"""All calls of the fake: made, looked up, ended, and none left behind."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from harness.core.clock import Clock, unix_time
from harness.core.sdp import SessionDescription
from harness.fakes.faults.plan import CallFaults
from harness.fakes.openai.conversation import Behaviour, Conversation, RefusedError, check_session
from harness.fakes.openai.conversation.session import Session
from harness.fakes.openai.errors import ApiError
from harness.fakes.openai.hearing import detectors
from harness.fakes.openai.hearing.detectors import Engine
from harness.fakes.openai.hearing.recognition import recognizer_of
from harness.fakes.openai.ids import Ids
from harness.fakes.openai.media.answer_only import AnswerOnly
from harness.fakes.openai.media.driver import Driver, Translation
from harness.fakes.openai.media.hooks import answer_faults, media_faults
from harness.fakes.openai.media.offers import read_remote
from harness.fakes.openai.media.peer import FakePeer
from harness.fakes.openai.models import check_model
from harness.fakes.openai.record import CallRecords, DistinctOffers, UpstreamRecord
from harness.fakes.openai.settings import FakeSettings
from harness.fakes.openai.speaking.voices import voice_named
from harness.peer.remote import Remote
from harness.speech.library import Library

DETECTORS_READY = 6  # loading one takes as long as seven packets, and must not hold up other calls


class Medium(Protocol):
    """The medium of a call: a WebRTC peer or a WebSocket."""

    def end(self, reason: str, *, goodbye: bool = True) -> None: ...

    async def closed(self) -> None: ...


@dataclass(eq=False)
class Call:
    """A live call, or one that has just ended."""

    record: UpstreamRecord
    driver: Driver
    medium: Medium

    def end(self, reason: str) -> None:
        """Release it."""
        self.medium.end(reason)


def warm_up(library: Library, vad: Engine) -> None:
    """Make what would hold up the other calls' packets if it were made when a call begins."""
    recognizer_of(library)
    for clip in library.values():
        if clip.role == "assistant":
            _ = clip.packets
    detectors.stock(vad, DETECTORS_READY)


class Calls:
    """Makes calls and keeps them while they live."""

    def __init__(self, settings: FakeSettings, library: Library, clock: Clock, ids: Ids) -> None:
        self.records = CallRecords(settings.ended_calls_kept)
        self.distinct = DistinctOffers()
        self._settings = settings
        self._voice = voice_named(settings.voice, library)
        self._recognizer = recognizer_of(library)
        warm_up(library, settings.vad)
        self._clock = clock
        self._ids = ids
        self._live: dict[str, Call] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._restocking: asyncio.Task[None] | None = None

    def begin(self, key: str) -> UpstreamRecord:
        """The record of a new call, or of an attempt at one."""
        record = UpstreamRecord(self._ids.new("rtc"), self._clock, key=key, seed=self._settings.seed)
        self.records.add(record)
        return record

    def refuse(self, record: UpstreamRecord, reason: str) -> None:
        """The attempt came to nothing."""
        self.records.end(record, reason)

    def find(self, call_id: str) -> Call | None:
        """The live call of that id."""
        return self._live.get(call_id)

    async def answer(
        self,
        record: UpstreamRecord,
        offer: SessionDescription,
        session: dict[str, Any] | None,
        faults: CallFaults,
        translation: Translation | None = None,
    ) -> str:
        """Make a WebRTC call; returns the answer's SDP. The call is live from now on. Raises ApiError."""
        remote = read_remote(offer)
        if self._answers_only(record):
            return self._answer_only(record, offer, remote, session, faults)
        if not detectors.idle(self._settings.vad):
            await asyncio.to_thread(detectors.stock, self._settings.vad, 1)
        driver = self.converse(record, session, "webrtc", faults, translation)
        peer = FakePeer(
            offer,
            remote,
            record=record,
            driver=driver,
            answer_faults=answer_faults(faults),
            faults=media_faults(faults),
            settings=self._settings,
            recognizer=self._recognizer,
            rng=self._rng(record),
            on_ended=lambda reason: self.ended(call, reason),
        )
        call = self.adopt(record, driver, peer)
        try:
            answer = await peer.answer()
        except BaseException:
            peer.end("not-answered")
            raise
        peer.start()
        self._restock()
        return answer

    def _answers_only(self, record: UpstreamRecord) -> bool:
        named = self._settings.answers_only_ufrags
        return self._settings.answers_only or bool(named and record.ufrag.startswith(named))

    def _answer_only(
        self,
        record: UpstreamRecord,
        offer: SessionDescription,
        remote: Remote,
        session: dict[str, Any] | None,
        faults: CallFaults,
    ) -> str:
        """A call that lives until somebody ends it, or it was not connected in time."""
        medium = AnswerOnly(
            offer,
            address=(self._settings.addresses or ("127.0.0.1",))[0],
            setup="passive" if remote.setup == "active" else "active",
            seconds=self._settings.connect_seconds,
            faults=answer_faults(faults),
            rng=self._rng(record),
            on_ended=lambda reason: self.ended(call, reason),
        )
        call = self.adopt(record, self.converse(record, session, "webrtc", faults), medium)
        return medium.answer()

    def end_named(self, ufrags: Iterable[str]) -> int:
        """End the live calls whose offers had these names; how many there were."""
        named = set(ufrags)
        found = [call for call in self._live.values() if call.record.ufrag in named]
        for call in found:
            call.end("released")
        return len(found)

    def _restock(self) -> None:
        """Load what the next calls will borrow, in a thread, while nobody waits for it."""
        if self._restocking is None or self._restocking.done():
            stocking = asyncio.to_thread(detectors.stock, self._settings.vad, DETECTORS_READY)
            self._restocking = asyncio.get_running_loop().create_task(stocking)

    def adopt(self, record: UpstreamRecord, driver: Driver, medium: Medium) -> Call:
        """A call is live from now on; `ended` must be called when it is over."""
        call = Call(record, driver, medium)
        self._live[record.id] = call
        return call

    def ended(self, call: Call, reason: str) -> None:
        """The call is over; what is left of it is waited for."""
        self._live.pop(call.record.id, None)
        self.records.end(call.record, reason)
        task = asyncio.get_running_loop().create_task(call.medium.closed())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def converse(
        self,
        record: UpstreamRecord,
        session: dict[str, Any] | None,
        transport: Literal["webrtc", "websocket"],
        faults: CallFaults,
        translation: Translation | None = None,
    ) -> Driver:
        """The conversation of a new call, ready to be opened."""
        record.faults = faults.values()
        conversation = Conversation(
            session=session,
            call_id=record.id,
            transport=transport,
            voice=self._voice,
            created_at=unix_time(),
            settings=self._settings.conversation,
            rng=self._rng(record),
            behaviour=Behaviour.of(faults),
            call_name=record.ufrag,
            recorder=lambda start, end: driver.recall(start, end),
        )
        record.session = lambda: conversation.session
        driver = Driver(conversation, self._settings.vad, record, self._clock, translation)
        return driver

    def check_session(self, session: Any, *, any_model: bool = False) -> None:
        """Raises ApiError for a `session` that the API refuses; `any_model`: Azure names its own."""
        try:
            check_session(session)
        except RefusedError as refused:
            raise ApiError(
                400, refused.message, code=refused.code, param=refused.param, kind=refused.kind
            ) from refused
        if not any_model:
            check_model(session.get("model"), self._settings)

    def effective_session(self, config: Any, *, any_model: bool = False) -> dict[str, Any]:
        """The whole session that a call made with `config` would have; it expires at no time yet.

        Raises ApiError.
        """
        self.check_session(config, any_model=any_model)
        session = Session(self._ids.new("sess"), self._settings.conversation, expires_at=0)
        session.configure(config)
        return session.effective

    def new_id(self, prefix: str) -> str:
        """An id as the API makes them."""
        return self._ids.new(prefix)

    async def end_all(self, reason: str) -> None:
        """Release every call and wait until nothing of them is left."""
        ending = list(self._live.values())
        for call in ending:
            call.end(reason)
        for call in ending:
            await call.medium.closed()
        for record in self.records.live:
            self.records.end(record, reason)
        while self._closing:
            await asyncio.wait(self._closing)
        if self._restocking is not None:
            await self._restocking

    def _rng(self, record: UpstreamRecord) -> random.Random:
        return random.Random(f"{self._settings.seed}/{record.id}")  # noqa: S311  (replayable on purpose)
