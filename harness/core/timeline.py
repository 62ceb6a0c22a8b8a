"""The record of one call: append while it happens, query afterwards, write and read as JSON lines."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

import msgspec

from harness.core.bounds import LONGEST_LINE, MOST_TIMELINE_BYTES, EventAllowance
from harness.core.errors import UsageError
from harness.core.events import (
    AnyEvent,
    CallStarted,
    ClientEvent,
    Event,
    EventInvalid,
    Layer,
    Packet,
    PacketsReceived,
    ServerEvent,
    Side,
    StateChanged,
    StepStarted,
)

E = TypeVar("E", bound=Event)
A = TypeVar("A", ServerEvent, ClientEvent)
T = TypeVar("T")
V = TypeVar("V")

HANG_UP_STEPS = ("hang up", "hang-up", "drop")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyEvent)


class TooMuchToLookAtError(Exception):
    """A query would go beyond what a timeline's judge may look at."""


class Timeline:
    """Events ordered by time; those of the same moment keep the order in which they were appended."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events: list[Event] = []
        # Judges and waits ask hundreds of times for one kind, or for one type of the API's events.
        self._of_kind: dict[type[Event], list[Event]] = {}
        self._of_type: dict[tuple[type[Event], str], list[Event]] = {}
        self._derived: dict[Callable[[Timeline], Any], Any] = {}
        self._listeners: list[Callable[[Event], None]] = []
        self.looked = 0  # events that queries looked at so far, which tests count
        self.may_look = float("inf")  # until which many; who judges sets it
        self.extend(events)

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def append(self, event: Event) -> None:
        """Insert by time: a record that arrives late (the upstream's view) still finds its place."""
        self._derived.clear()
        _insert(self._events, event)
        _insert(self._of_kind.setdefault(type(event), []), event)
        if isinstance(event, ServerEvent | ClientEvent):
            _insert(self._of_type.setdefault((type(event), event.type), []), event)
        for listener in tuple(self._listeners):
            listener(event)

    def extend(self, events: Iterable[Event]) -> None:
        """As `append`, of many: sorted once, so in whatever order they come it takes no longer."""
        added = sorted(events, key=lambda e: e.at)
        for event in added if self._listeners else ():
            self.append(event)
        if self._listeners or not added:
            return
        self._derived.clear()
        _merge(self._events, added)
        by_kind: dict[type[Event], list[Event]] = {}
        by_type: dict[tuple[type[Event], str], list[Event]] = {}
        for event in added:
            by_kind.setdefault(type(event), []).append(event)
            if isinstance(event, ServerEvent | ClientEvent):
                by_type.setdefault((type(event), event.type), []).append(event)
        for kind, of_kind in by_kind.items():
            _merge(self._of_kind.setdefault(kind, []), of_kind)
        for key, of_type in by_type.items():
            _merge(self._of_type.setdefault(key, []), of_type)

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event from now on; returns the function that stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # --- queries; `side` is the caller's view unless told otherwise ---

    def all(
        self,
        kind: type[E],
        *,
        side: Side | None = "caller",
        after: float = float("-inf"),
        before: float = float("inf"),
        where: Callable[[E], bool] | None = None,
    ) -> list[E]:
        """Events of a kind with after <= at < before; `side` None takes both views."""
        return self._chosen(self._candidates(kind), side, after, before, where)

    def _candidates(self, kind: type[E]) -> list[E]:
        if kind.__subclasses__():
            return [event for event in self._events if isinstance(event, kind)]
        return cast("list[E]", self._of_kind.get(kind, []))

    def first(self, kind: type[E], **query: Any) -> E | None:
        """The earliest of `all`, or None."""
        return next(iter(self.all(kind, **query)), None)

    def last(self, kind: type[E], **query: Any) -> E | None:
        """The latest of `all`, or None."""
        found = self.all(kind, **query)
        return found[-1] if found else None

    def state(self, layer: Layer, state: str, **query: Any) -> StateChanged | None:
        """When a layer first reached a state."""
        return self.first(StateChanged, where=lambda e: e.layer == layer and e.state == state, **query)

    def server_events(self, *types: str, **query: Any) -> list[ServerEvent]:
        """Server events of the given types, or of all types; by default as seen from `events_side`."""
        if self.events_side == "upstream" and "side" not in query:
            # Once the caller has gone, what still happens upstream is none of its call.
            query = {"side": "upstream", **query}
            query["before"] = min(query.get("before", float("inf")), self.once(_hang_up_at))
        return self._of_types(ServerEvent, types, **query)

    @property
    def events_side(self) -> Side:
        """Where the API's events are read: at the upstream's end, if callers of the target get none."""
        began = cast("list[CallStarted]", self._of_kind.get(CallStarted, []))
        return "caller" if all(e.passes_events for e in began) else "upstream"

    def client_events(self, *types: str, **query: Any) -> list[ClientEvent]:
        """Client events of the given types, or of all types."""
        return self._of_types(ClientEvent, types, **query)

    def _of_types(
        self,
        kind: type[A],
        types: tuple[str, ...],
        *,
        side: Side | None = "caller",
        after: float = float("-inf"),
        before: float = float("inf"),
    ) -> list[A]:
        if len(types) == 1:
            of_type = cast("list[A]", self._of_type.get((kind, types[0]), []))
            return self._chosen(of_type, side, after, before)
        wanted = (lambda event: event.type in types) if types else None
        return self._chosen(self._candidates(kind), side, after, before, wanted)

    def _chosen(
        self,
        events: Sequence[E],
        side: Side | None,
        after: float,
        before: float,
        where: Callable[[E], bool] | None = None,
    ) -> list[E]:
        """Of events in order of time. What is looked at is counted, and has an end."""
        first = 0 if after == float("-inf") else bisect.bisect_left(events, after, key=lambda e: e.at)
        last = (
            len(events) if before == float("inf") else bisect.bisect_left(events, before, key=lambda e: e.at)
        )
        self.looked += last - first
        if self.looked > self.may_look:
            raise TooMuchToLookAtError(f"over {self.may_look:,} looks at {len(self):,} events")
        among = events if last - first == len(events) else events[first:last]
        return [e for e in among if (side is None or e.side == side) and (where is None or where(e))]

    def derived(self, compute: Callable[[Timeline], list[T]]) -> list[T]:
        """What `compute` makes of the timeline: made once, and anew when something was appended."""
        return list(self.once(compute))

    def once(self, compute: Callable[[Timeline], V]) -> V:
        """As `derived`, and not a copy: it is asked for again and again, and nobody may change it."""
        if compute not in self._derived:
            self._derived[compute] = compute(self)
        return cast("V", self._derived[compute])

    def packets(self, **query: Any) -> list[Packet]:
        """Every RTP packet received, by arrival."""
        if not query:
            return self.derived(_packets)
        batches = self.all(PacketsReceived, **query)
        return sorted((p for batch in batches for p in batch.packets), key=lambda p: p.at)

    def spans(
        self, start: Callable[[Event], bool], end: Callable[[Event], bool], *, side: Side = "caller"
    ) -> list[tuple[float, float | None]]:
        """Intervals from each start to the next end; an open one ends with None. Nested starts are one."""
        found: list[tuple[float, float | None]] = []
        opened: float | None = None
        for event in self._events:
            if event.side != side:
                continue
            if opened is None and start(event):
                opened = event.at
            elif opened is not None and end(event):
                found.append((opened, event.at))
                opened = None
        if opened is not None:
            found.append((opened, None))
        return found

    # --- JSON lines ---

    def to_jsonl(self) -> str:
        """One event a line, in order of time; times rounded to a microsecond."""
        return "".join(_line(_rounded(event)) + "\n" for event in self._events)

    @classmethod
    def from_jsonl(cls, text: str) -> Timeline:
        """Read what `to_jsonl` wrote.

        Raises UsageError, naming the line, when a line is cut off or is no event.
        """
        return cls.from_lines(text.encode("utf-8", "surrogatepass").split(b"\n"))

    @classmethod
    def from_lines(cls, lines: Iterable[bytes]) -> Timeline:
        """Read lines one after the other, and keep no more of them than a call can have.

        Events of the data channel beyond that are left out, and it is noted once, as when a call is recorded.
        Raises UsageError as `from_jsonl`, and for a line or a timeline that is longer than any.
        """
        events: list[Event] = []
        allowance, size = EventAllowance(), 0
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            if len(line) > LONGEST_LINE:
                raise UsageError(
                    f"line {number} of the timeline has over {LONGEST_LINE >> 20} MiB",
                    "no run writes such a line; judge a timeline that one wrote",
                )
            try:
                event = cast("Event", _decoder.decode(line))
            except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
                raise UsageError(
                    f"line {number} of the timeline cannot be read: {error}",
                    "the file was cut off or changed; judge a whole timeline",
                ) from error
            if isinstance(event, ServerEvent | ClientEvent):
                if not allowance.takes(len(line)):
                    if allowance.refused == 1:
                        events.append(EventInvalid(at=event.at, type="", problem=allowance.problem))
                    continue
            elif (size := size + len(line)) > MOST_TIMELINE_BYTES:
                raise UsageError(
                    f"the timeline has over {MOST_TIMELINE_BYTES >> 20} MiB beside the events of its channel",
                    "no call is that long; judge a timeline that a run wrote",
                )
            events.append(event)
        if not events:
            raise UsageError("the timeline is empty", "judge a .jsonl file that a run wrote")
        return cls(events)


def _hang_up_at(timeline: Timeline) -> float:
    hung_up = timeline.first(StepStarted, where=lambda e: e.step in HANG_UP_STEPS)
    return hung_up.at if hung_up else float("inf")


def _packets(timeline: Timeline) -> list[Packet]:
    return timeline.packets(side="caller")


def _merge(events: list[Event], added: list[Event]) -> None:
    """Both are sorted, and Python's sort makes use of it (it merges what is already in order)."""
    events += added
    if len(events) > len(added) and events[-len(added) - 1].at > added[0].at:
        events.sort(key=lambda e: e.at)


def _insert(events: list[Event], event: Event) -> None:
    if events and event.at < events[-1].at:
        bisect.insort_right(events, event, key=lambda e: e.at)
    else:
        events.append(event)


def _rounded(event: Event) -> Event:
    return msgspec.structs.replace(event, at=round(event.at, 6))


def _line(event: Event) -> str:
    try:
        return _encoder.encode(event).decode()
    except (
        UnicodeEncodeError
    ):  # half a surrogate pair: JSON can escape it (RFC 8259, section 8.2), UTF-8 cannot
        return _encoder.encode(_as_unicode(msgspec.to_builtins(event))).decode()


def _as_unicode(value: Any) -> Any:
    """JSON values with U+FFFD for what is no Unicode."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_as_unicode(key): _as_unicode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_unicode(item) for item in value]
    return value


def event_to_builtins(event: Event) -> dict[str, Any]:
    """The event as plain JSON values: for a reply over HTTP."""
    return cast("dict[str, Any]", msgspec.to_builtins(event))


def event_from_builtins(data: dict[str, Any]) -> Event:
    """The inverse of `event_to_builtins`; raises msgspec.ValidationError on anything else."""
    return cast("Event", msgspec.convert(data, AnyEvent))
