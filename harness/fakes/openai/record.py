"""What the fake saw of one call: its upstream timeline, and what `/_fake/calls` says of it."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from harness.core.clock import Clock, RelativeClock, wall_time
from harness.core.events import (
    CallEnded,
    CallStarted,
    ClientEvent,
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    Layer,
    Part,
    ServerEvent,
    StateChanged,
)
from harness.core.probes import HANG_UP, OFFER, UPGRADE
from harness.core.redaction import Redactor
from harness.core.timeline import Timeline, event_to_builtins
from harness.fakes.bodies import FormPart
from harness.fakes.openai.keys import digest, is_placeholder

MOST_NAMES = 1_000_000


class UpstreamRecord:
    """One call, or one attempt at a call. Everything recorded passes through redaction first."""

    def __init__(self, call_id: str, clock: Clock, *, key: str = "", seed: int = 0) -> None:
        self.id = call_id
        self.clock = RelativeClock(clock)
        self.timeline = Timeline()
        self.ufrag = ""
        self.mark = ""  # the tone that was heard, by which a call without a name is known
        self.state: Literal["live", "ended"] = "live"
        self.reason = ""
        self.ended_at: float | None = None
        self.offer_sha256 = ""
        self.key_sha256 = digest(key) if key else ""
        self._ephemeral = not key.startswith("sk-")
        self.faults: dict[str, Any] = {}
        # What the live call says of itself; when it ends, its last words stand.
        self.measure: Callable[[], dict[str, float]] = dict
        self.session: Callable[[], dict[str, Any]] = dict
        self.counted: Callable[[], Sequence[Event]] = tuple
        self._redactor = Redactor([] if is_placeholder(key) else [key])
        self._seed = seed

    @property
    def started_at(self) -> float:
        """On the monotonic clock."""
        return self.clock.origin

    def begin(self, *, ufrag: str, offer: bytes, seed_text: str = "") -> None:
        """Name the call: by its offer's ufrag, where it has one."""
        self.ufrag = ufrag
        self.offer_sha256 = digest(offer) if offer else ""
        started = CallStarted(
            at=0.0,
            side="upstream",
            call=self.id,
            scenario=seed_text,
            started_at=wall_time(),
            origin=self.clock.origin,
            seed=self._seed,
            ufrag=ufrag,
        )
        self.timeline.append(started)

    def marked(self, mark: str) -> None:
        """The caller said whose call it is."""
        self.mark = mark

    def add(self, event: Event) -> None:
        """Append an event that holds no secret."""
        self.timeline.append(event)

    def request(self, request: Request, body: bytes, parts: tuple[FormPart, ...]) -> None:
        """The request that made the call: its parts where it is a form, else its body."""
        text, encoded = ("", False) if parts else _text(body)
        self.add(
            HttpRequest(
                at=self.clock.now(),
                side="upstream",
                method=request.method,
                url=self._redactor.text(str(request.url)),
                headers=self._redactor.headers(request.headers.items()),
                body=self._redactor.text(text),
                body_base64=encoded,
                parts=tuple(self._part(part) for part in parts),
            )
        )

    def upgrade(self, websocket: WebSocket) -> None:
        """The request that opens a WebSocket."""
        self.add(
            HttpRequest(
                at=self.clock.now(),
                side="upstream",
                method="GET",
                url=self._redactor.text(str(websocket.url)),
                headers=self._redactor.headers(websocket.headers.items()),
                purpose=UPGRADE,
            )
        )

    def asked(self, request: Request) -> None:
        """A request to end the call, which has no body."""
        self.add(
            HttpRequest(
                at=self.clock.now(),
                side="upstream",
                method=request.method,
                url=self._redactor.text(str(request.url)),
                headers=self._redactor.headers(request.headers.items()),
                purpose=HANG_UP,
            )
        )

    def is_of(self, key: str) -> bool:
        """Whether the call was made with that secret key; one made with an ephemeral key is anybody's."""
        return self._ephemeral or self.key_sha256 == digest(key)

    def response(self, response: Response, purpose: str = OFFER) -> None:
        """What was answered."""
        text, encoded = _text(bytes(response.body))
        self.add(
            HttpResponse(
                at=self.clock.now(),
                side="upstream",
                status=response.status_code,
                headers=self._redactor.headers(response.headers.items()),
                body=self._redactor.text(text),
                body_base64=encoded,
                purpose=purpose,
            )
        )

    def no_response(self, failure: str, detail: str) -> None:
        """The request got no answer."""
        self.add(HttpFailed(at=self.clock.now(), side="upstream", failure=failure, detail=detail))

    def layer(self, layer: Layer, state: str, detail: str = "") -> None:
        """A layer reached a state."""
        at = self.clock.now()
        self.add(StateChanged(at=at, side="upstream", layer=layer, state=state, detail=detail))

    def client_event(self, event: dict[str, Any]) -> None:
        """An event came in."""
        self.add(ClientEvent(at=self.clock.now(), side="upstream", event=self._redactor.value(event)))

    def server_event(self, event: dict[str, Any] | None, raw: str, size: int) -> None:
        """A message went out; `event` is None where it was no JSON object."""
        shown = self._redactor.value(event) if event is not None else None
        text = "" if event is not None else self._redactor.text(raw[:2000])
        self.add(ServerEvent(at=self.clock.now(), side="upstream", event=shown, raw=text, size=size))

    def end(self, reason: str) -> None:
        """The call is released; the first reason stands."""
        if self.state == "ended":
            return
        self.state, self.reason = "ended", reason
        self.ended_at = self.clock.origin + self.clock.now()
        measured, session, counted = self.measure(), self.session(), self.counted()
        self.measure, self.session, self.counted = lambda: measured, lambda: session, lambda: counted
        for event in counted:
            self.add(event)
        self.add(CallEnded(at=self.clock.now(), side="upstream", reason=reason))

    def as_json(self, *, events: bool) -> dict[str, Any]:
        """The call for `/_fake/calls`."""
        found = {
            "id": self.id,
            "ufrag": self.ufrag,
            "mark": self.mark,
            "state": self.state,
            "reason": self.reason,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "offer_sha256": self.offer_sha256,
            "key_sha256": self.key_sha256,
            "faults": self.faults,
            "audio": self.measure(),
            "session": self._redactor.value(self.session()),
        }
        if not events:
            return found
        # How far a call has come that never connected can be told before it ends.
        so_far = self.counted() if self.state == "live" else ()
        shown = [*self.timeline, *so_far]
        return found | {"events": [event_to_builtins(e) for e in shown]}

    def _part(self, part: FormPart) -> Part:
        # A part that is not text keeps its place and its readable bytes; its hash tells it apart.
        body = self._redactor.text(part.body.decode("utf-8", "backslashreplace"))
        return Part(name=part.name, body=body, content_type=part.content_type, filename=part.filename)


class CallRecords:
    """All live calls, and the latest that have ended, oldest first."""

    def __init__(self, keep_ended: int) -> None:
        self._keep = keep_ended
        self._live: OrderedDict[str, UpstreamRecord] = OrderedDict()
        self._ended: OrderedDict[str, UpstreamRecord] = OrderedDict()
        self.on_ended: Callable[[UpstreamRecord], None] = lambda _record: None

    def __iter__(self) -> Iterator[UpstreamRecord]:
        yield from sorted([*self._ended.values(), *self._live.values()], key=lambda r: r.started_at)

    @property
    def live(self) -> list[UpstreamRecord]:
        return list(self._live.values())

    def add(self, record: UpstreamRecord) -> None:
        self._live[record.id] = record

    def end(self, record: UpstreamRecord, reason: str) -> None:
        """Move a call to the ended ones; the oldest of those are forgotten."""
        record.end(reason)
        if self._live.pop(record.id, None) is not None:
            self._ended[record.id] = record
            self.on_ended(record)
        while len(self._ended) > self._keep:
            self._ended.popitem(last=False)

    def forget_ended(self) -> None:
        self._ended.clear()


class DistinctOffers:
    """How many offers came, and how many names they had: a cache or a retry in front of us shows here."""

    def __init__(self) -> None:
        self.offers = 0
        self._names: set[str] = set()

    def add(self, ufrag: str) -> None:
        """An offer of this name came; beyond a million names no new one is counted."""
        self.offers += 1
        if ufrag and len(self._names) < MOST_NAMES:
            self._names.add(ufrag)

    def clear(self) -> None:
        """Begin anew."""
        self.offers = 0
        self._names.clear()

    def as_json(self) -> dict[str, int]:
        """For `/_fake/health`."""
        return {"offers": self.offers, "distinct_ufrags": len(self._names)}


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
