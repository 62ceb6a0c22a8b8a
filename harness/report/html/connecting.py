"""The panel of a call's beginning: each request and each layer, from the first candidate to the session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from harness.core.events import CallEnded, CandidateFound, Event, Layer
from harness.core.probes import ABANDONED_OFFER, OFFER
from harness.core.timeline import Timeline
from harness.report.html.lanes import Lane, Panel, Span
from harness.report.html.words import counted, duration
from harness.requirements.exchanges import Exchange, exchanges

LAYERS: tuple[tuple[str, Layer, str], ...] = (
    ("ICE", "ice", "connected"),
    ("DTLS", "dtls", "connected"),
    ("SCTP", "sctp", "connected"),
    ("data channel", "channel", "open"),
)
MOST_REQUESTS = 24  # lanes: a probe that makes more shows the first of them
ROOM = 1.04  # so that the last bar does not end at the edge


def connecting(timeline: Timeline) -> Panel:
    """Lanes in the order of a call. A stage that began and did not end lasts to the call's end, as bad."""
    over = _over(timeline)
    lanes = [*_gathering(timeline, over), *_requests(timeline, over)]
    if any(exchange.succeeded for exchange in exchanges(timeline, OFFER)):
        lanes += [_layer(timeline, *layer, over) for layer in LAYERS]
        lanes += [*_session(timeline, over), *_updates(timeline, over)]
    last = max((span.end for lane in lanes for span in lane.spans), default=over)
    return Panel(last * ROOM, tuple(lanes), milliseconds=last < 5)


def _gathering(timeline: Timeline, over: float) -> Iterator[Lane]:
    began = timeline.state("gathering", "gathering")
    if began is None:
        return
    kinds = Counter(candidate.type for candidate in timeline.all(CandidateFound))
    found = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "no candidate"
    lane = _lane("gathering", began, timeline.state("gathering", "complete"), over)
    yield replace(lane, note=f"{found}, {lane.note}")


def _requests(timeline: Timeline, over: float) -> Iterator[Lane]:
    made = exchanges(timeline)
    behind = exchanges(timeline, side="upstream")
    for exchange in made[:MOST_REQUESTS]:
        probing = exchange.request.purpose != OFFER
        yield _request(exchange, _purpose(exchange), over, probing=probing)
        until = over if exchange.ended_at is None else exchange.ended_at
        for forwarded in [e for e in behind if exchange.request.at <= e.request.at < until]:
            yield _request(forwarded, "relay → upstream", over, probing=probing)
    if len(made) > MOST_REQUESTS:
        yield Lane("…", f"{counted(len(made) - MOST_REQUESTS, 'more request')}: see the timeline")


def _purpose(exchange: Exchange) -> str:
    request = exchange.request
    named = " ".join(part for part in (request.purpose, request.case) if part)
    return "offer → answer" if request.purpose == OFFER else named


def _request(exchange: Exchange, name: str, over: float, *, probing: bool) -> Lane:
    """A probe may well be refused, or abandoned by ourselves: only an ordinary offer has to succeed."""
    end = over if exchange.ended_at is None else exchange.ended_at
    took = duration(end - exchange.request.at)
    if exchange.status is not None:
        what = str(exchange.status)
    else:
        what = exchange.failed.failure if exchange.failed else "no response"
    expected = exchange.response is not None or exchange.request.purpose == ABANDONED_OFFER
    good = exchange.succeeded or (probing and expected)
    detail = f"{exchange.request.method} {exchange.request.url}: {what}"
    span = Span(exchange.request.at, end, "" if good else what, detail, "calm" if good else "bad")
    return Lane(name, f"{what}, {took}", (span,))


def _layer(timeline: Timeline, name: str, layer: Layer, reached: str, over: float) -> Lane:
    began = timeline.state(layer, "checking") or timeline.state(layer, "connecting")
    done = timeline.state(layer, reached)
    if layer == "channel":
        # It waits for all layers below; what is its own begins where they are up.
        began = timeline.state("sctp", "connected")
    if began is None and done is None:
        return Lane(name, "never began")
    failed = timeline.state(layer, "failed")
    if done is None and failed is not None and began is not None:
        took = duration(failed.at - began.at)
        detail = f"failed {failed.detail}".strip()
        return Lane(name, f"{detail} after {took}", (Span(began.at, failed.at, detail, detail, "bad"),))
    return _lane(name, began or done, done, over)


def _session(timeline: Timeline, over: float) -> Iterator[Lane]:
    opened = timeline.state("channel", "open")
    if opened is not None:
        created = next(iter(timeline.server_events("session.created")), None)
        yield _lane("session.created", opened, created, over)


def _updates(timeline: Timeline, over: float) -> Iterator[Lane]:
    """Updates before the caller first speaks; one lane, since they follow each other."""
    spans = []
    for sent in timeline.client_events("session.update"):
        answer = next(iter(timeline.server_events("session.updated", "error", after=sent.at)), None)
        spans.append(_stage(sent, answer, over, f"answered by {answer.type}" if answer else "no answer"))
    if spans:
        slowest = duration(max(span.end - span.start for span in spans))
        told = slowest if len(spans) == 1 else f"{len(spans)}, the slowest {slowest}"
        yield Lane("session.update", told, tuple(spans))


def _lane(name: str, began: Event | None, done: Event | None, over: float) -> Lane:
    if began is None:
        return Lane(name, "never began")
    span = _stage(began, done, over)
    took = duration(span.end - span.start)
    return Lane(name, took if done else f"did not end within {took}", (span,))


def _stage(began: Event, done: Event | None, over: float, detail: str = "") -> Span:
    if done is None:
        return Span(began.at, over, "did not end", detail or "did not end", "bad")
    return Span(began.at, done.at, detail=detail)


def _over(timeline: Timeline) -> float:
    ended = timeline.last(CallEnded)
    return ended.at if ended is not None else max((event.at for event in timeline), default=0.0)
