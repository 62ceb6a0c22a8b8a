"""How the page ends what it began: when it gives up by itself, and when its user hangs up."""

from __future__ import annotations

from harness.core.events import (
    AnswerReceived,
    ConnectionMade,
    ConnectionUsed,
    MicrophoneGiven,
    PageLeft,
    PageOpened,
    PlaybackChanged,
    TrackChanged,
)
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import hang_up_at, last_moment, limit_of
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.seen import OFFERING, PAGE, closed_by_page, pressed, shown, uses
from harness.requirements.registry import requirement

GIVES_UP_AFTER = 2.0  # seconds beyond the limit for an open channel
TOLD_WITHIN = 1.5  # seconds from giving up to a text that says so
RELEASED_WITHIN = 2.0  # seconds from the button
OWN_LEAVING = 0.4  # by how much before the end of the wait we ourselves may have closed the page


def _opened_or_unanswered(timeline: Timeline) -> NotApplicable | None:
    if timeline.state("channel", "open") is not None:
        return NotApplicable("the data channel opened")
    if timeline.first(AnswerReceived) is None:
        return NotApplicable("the page took no answer")
    return None


NEVER_OPENED = Condition("an answer came, and the channel never opened", _opened_or_unanswered)


@requirement(
    "page.gives-up",
    "A page whose channel does not open gives up, and says so",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.CHANNEL,
    source=Source(
        "WebRTC, section 4.4.3",
        "No state says that a channel will not open: a connection can be connected, and its channel stay "
        "closed. "
        "Five seconds are more than every good connection takes.",
        "https://www.w3.org/TR/webrtc/#rtcpeerconnectionstate-enum",
    ),
    hits="every caller whose connection does not come about",
    when=(PAGE, OFFERING, NEVER_OPENED),
    causes={
        "waits-for-ever": Cause(
            "the channel did not open, and the page goes on waiting with its microphone open",
            "after 5 s without an open channel close the connection, stop the tracks, and say that it failed",
        ),
        "gives-up-silently": Cause(
            "the page gave up, and told its user nothing",
            "show what happened and what to do; a page that falls back to its button looks broken",
        ),
    },
)
def gives_up(timeline: Timeline) -> Finding:
    """Within 7 s of the answer the microphone is free again, and a text is there."""
    answer = timeline.first(AnswerReceived)
    if answer is None:
        return None
    allowed = limit_of(timeline, "channel_s") + GIVES_UP_AFTER
    until = hang_up_at(timeline)
    given = timeline.all(MicrophoneGiven)
    ended = timeline.all(TrackChanged, where=lambda t: not t.received and t.ended, before=until)
    closed = closed_by_page(timeline)
    freed = bool(given) and {g.track for g in given} <= {t.track for t in ended}
    evidence = [Evidence(answer.at, "answer")]
    evidence += [Evidence(t.at, "the microphone was stopped") for t in ended[:1]]
    if not freed and not (not given and closed and closed.at < until):
        watched = last_moment(timeline) - answer.at
        if watched < allowed:
            return Inconclusive(f"the page was left {watched:.1f} s after the answer, before it had its time")
        return Violation(
            "waits-for-ever", f"{watched:.1f} s after the answer its microphone was open", tuple(evidence)
        )
    gave_up = max((t.at for t in ended), default=closed.at if closed else answer.at)
    texts = shown(timeline, gave_up - 0.5, gave_up + TOLD_WITHIN)
    if any(len(text.text) >= 15 for text in texts):
        return None
    evidence += [Evidence(t.at, f"shown: {t.text}") for t in texts[:3]]
    return Violation("gives-up-silently", f"{gave_up - answer.at:.1f} s after the answer", tuple(evidence))


def _not_stopped(timeline: Timeline) -> NotApplicable | None:
    if pressed(timeline, "stop") is None:
        return NotApplicable("no button ends the call; the page was closed")
    return None


@requirement(
    "page.stop-releases",
    "Its stop button ends everything",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.HANG_UP,
    source=Source(
        "WebRTC, section 4.4.2, close(); Media Capture and Streams, section 4.3.1, stop()",
        "A connection goes on until it is closed, and is billed; a microphone is in use until each of "
        "its tracks "
        "is stopped.",
        "https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-close",
    ),
    needs=("page.one-connection",),
    when=(PAGE, OFFERING, Condition("a stop button was pressed", _not_stopped)),
    causes={
        "connection-left-open": Cause(
            "the page was stopped, and its connection is still open: the call goes on, and is billed",
            "close in this order: channel.close(), connection.close(), track.stop() of each track, "
            "audio.srcObject = null; on pagehide and on every error, too",
        ),
        "microphone-left-on": Cause(
            "the page was stopped, and its microphone is still in use",
            "call stop() on each track of the stream, of clones as well: closing the connection does not",
        ),
    },
)
def stop_releases(timeline: Timeline) -> Finding:
    """Within 2 s every connection is closed, and every track stopped."""
    stop = pressed(timeline, "stop")
    if stop is None:
        return None
    evidence = (Evidence(stop.at, f"pressed {stop.text!r}"),)
    kept = left_open(timeline, stop.at + RELEASED_WITHIN + 0.5)
    if not kept:
        return None
    cause = "connection-left-open" if kept.startswith("connection") else "microphone-left-on"
    return Violation(cause, kept, evidence)


def _document_gone(timeline: Timeline, deadline: float) -> float:
    """When the page's last document before the one that it then shows was gone; -1 where none was.

    With its document the browser ends what it had; what that does at its very end may never be told.
    """
    documents = timeline.all(PageOpened, where=lambda e: not e.frame)[1:]
    left = (e.at for e in (*timeline.all(PageLeft), *documents))
    return max((at for at in left if at <= deadline - OWN_LEAVING), default=-1.0)


def left_open(timeline: Timeline, deadline: float) -> str:
    """What is still open then: a connection that was given a description, or tracks; empty for nothing."""
    gone = _document_gone(timeline, deadline)
    made = {e.connection for e in timeline.all(ConnectionMade, after=gone)}
    closed = {
        e.connection
        for e in timeline.all(ConnectionUsed, where=lambda e: e.method == "close", before=deadline)
    }
    described = {
        e.connection for e in timeline.all(ConnectionUsed, where=lambda e: e.method == "setLocalDescription")
    }
    if open_still := sorted((made & described) - closed):
        return f"connection number {open_still[0]} was not closed"
    given = timeline.all(MicrophoneGiven, after=gone)
    ended = {t.track for t in timeline.all(TrackChanged, where=lambda t: t.ended, before=deadline)}
    live = [g for g in given if g.track not in ended]
    return f"{len(live)} of {len(given)} tracks of the microphone are live" if live else ""


@requirement(
    "page.clean-up-order",
    "The page cleans up in order: channel, connection, tracks, element",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.MINOR,
    stage=CallStage.HANG_UP,
    source=Source(
        "WebRTC, section 6.2, close(); section 4.4.2, close()",
        "The channel's close() tells the far end; after the connection's it does nothing. An element keeps "
        "its stream until srcObject is set.",
        "https://www.w3.org/TR/webrtc/#dom-rtcdatachannel-close",
    ),
    needs=("page.stop-releases",),
    when=(PAGE, OFFERING, Condition("a stop button was pressed", _not_stopped)),
    causes={
        "channel-after-connection": Cause(
            "the page closed its channel when its connection was closed already, which does nothing",
            "close in this order: channel.close(), connection.close(), track.stop() of each track, "
            "audio.srcObject = null",
        ),
        "element-kept": Cause(
            "the page was stopped, and its audio element still holds the stream of the call",
            "set audio.srcObject = null when the call ends: the next call's reply is else played beside it, "
            "and the browser shows a page that plays",
        ),
    },
)
def clean_up_order(timeline: Timeline) -> Finding:
    """channel.close() comes before connection.close(), and no element has the stream after the stop."""
    stop = pressed(timeline, "stop")
    if stop is None:
        return None
    connection = closed_by_page(timeline)
    channel = next(iter(uses(timeline, "close channel")), None)
    if connection is not None and channel is not None and channel.at > connection.at:
        evidence = (Evidence(connection.at, "connection.close()"), Evidence(channel.at, "channel.close()"))
        return Violation(
            "channel-after-connection", f"{1000 * (channel.at - connection.at):.1f} ms after it", evidence
        )
    deadline = stop.at + RELEASED_WITHIN + 0.5
    last = timeline.last(PlaybackChanged, after=_document_gone(timeline, deadline), before=deadline)
    if last is not None and (held := [path for path in last.paths if path.by == "element"]):
        seen = f"its state is {held[0].state}"
        return Violation("element-kept", seen, (Evidence(stop.at, f"pressed {stop.text!r}"),))
    return None
