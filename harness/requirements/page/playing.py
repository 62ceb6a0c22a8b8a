"""Whether the page lets its user hear what it receives."""

from __future__ import annotations

from harness.core.events import ListenerAdded, PlaybackChanged, PlayPath, StretchHeard, TrackChanged
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import hang_up_at
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.seen import OFFERING, PAGE, the_connection
from harness.requirements.registry import requirement

SHORTEST = 0.2  # seconds of audible audio below which nothing is judged
HEARD_PART = 0.5  # of what was audible; what is missing at its beginning is another matter


def _audible(timeline: Timeline) -> list[StretchHeard]:
    end = hang_up_at(timeline)
    return [s for s in timeline.all(StretchHeard, where=lambda s: s.audible) if s.at < end]


def _nothing_audible(timeline: Timeline) -> NotApplicable | None:
    if sum(s.until - s.at for s in _audible(timeline)) < SHORTEST:
        return NotApplicable("no sound came that could be played")
    return None


AUDIBLE = Condition("sound was received", _nothing_audible)

# States of a way that plays nothing → the cause; of several ways the first here is what the page meant.
BY_STATE = {
    "refused": "play-refused",
    "suspended": "context-suspended",
    "interrupted": "context-suspended",
    "closed": "context-suspended",
    "paused": "element-paused",
    "waiting": "element-paused",
    "silent": "element-muted",
    "muted": "element-muted",  # an element that only makes Chromium decode is muted on purpose
    "unconnected": "not-connected",
}


@requirement(
    "page.reply-played",
    "The page plays what it receives",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.PLAYED,
    source=Source(
        "HTML Standard, media elements; Web Audio, section 1.1",
        "A received track is heard when a media element that plays has it for its srcObject, or a running "
        "AudioContext leads it to its destination.",
        "https://html.spec.whatwg.org/multipage/media.html#dom-media-srcobject",
    ),
    when=(PAGE, OFFERING, AUDIBLE),
    causes={
        "no-element": Cause(
            "the reply came, and the page gave it to nothing that plays",
            "in pc.ontrack set audio.srcObject = event.streams[0] of an <audio autoplay> element",
        ),
        "track-missed": Cause(
            "the page began to listen for its track when the track had come already",
            "set pc.ontrack before setRemoteDescription(), which fires it; best right after the "
            "connection is made",
        ),
        "element-paused": Cause(
            "the page's audio element has the reply, and does not play",
            "give it autoplay, or call play() and handle its rejection",
        ),
        "element-muted": Cause(
            "the page's audio element plays the reply muted, or at volume 0",
            "set muted = false and volume = 1 on the element that plays the assistant",
        ),
        "play-refused": Cause(
            "the browser refused to play the reply, and the page left it at that",
            "call play() after the user's click; on NotAllowedError show a button that calls it again, on "
            "AbortError do not pause or set srcObject anew meanwhile",
        ),
        "context-suspended": Cause(
            "the page plays through an AudioContext that does not run",
            "make it in the click's handler, or call await context.resume() there: one that was made "
            "when the "
            "page loaded is suspended until then",
        ),
        "not-connected": Cause(
            "the page leads the reply into Web Audio, and from there to nowhere",
            "connect the graph to context.destination; a visualizer needs an <audio> element beside it",
        ),
        "track-disabled": Cause(
            "the page plays the reply's track with enabled = false, which is silence",
            "mute the microphone's track, and not the received one: the mute button must change sender "
            "tracks",
        ),
    },
)
def reply_played(timeline: Timeline) -> Finding:
    """For most of the time in which it was audible, one way to the loudspeaker played it."""
    stretches = _audible(timeline)
    total = sum(s.until - s.at for s in stretches)
    changes = timeline.all(PlaybackChanged)
    played = sum(_played(changes, s.at, s.until) for s in stretches)
    first = stretches[0]
    disabled = [
        t
        for t in timeline.all(TrackChanged, where=lambda t: t.received and not t.enabled)
        if t.at <= first.until
    ]
    evidence = [Evidence(first.at, f"audible until {first.until:.3f} s")]
    evidence += [Evidence(c.at, f"played by: {_told(c)}") for c in changes if c.at <= first.until][-4:]
    if played >= HEARD_PART * total:
        if disabled and _disabled_throughout(timeline, first):
            return Violation("track-disabled", f"from {disabled[0].at:.3f} s on", tuple(evidence))
        return None
    paths = _paths_at(changes, first)
    if not paths:
        late = _track_missed(timeline)
        if late is not None:
            evidence.append(Evidence(late.at, "the page listens for its track"))
            return Violation("track-missed", f"{total:.1f} s of sound, played by nothing", tuple(evidence))
        return Violation("no-element", f"{total:.1f} s of sound, played by nothing", tuple(evidence))
    best = min(paths, key=lambda path: list(BY_STATE).index(path.state) if path.state in BY_STATE else 99)
    cause = BY_STATE.get(best.state, "element-paused")
    error = f", {best.error}" if best.error else ""
    seen = f"{total - played:.1f} s of {total:.1f} s were not heard ({best.by}: {best.state}{error})"
    return Violation(cause, seen, tuple(evidence))


def _played(changes: list[PlaybackChanged], since: float, until: float) -> float:
    """Seconds of a stretch in which some track was playing."""
    found = 0.0
    playing: dict[str, bool] = {}
    at = since
    for change in changes:
        if change.at > since and any(playing.values()):
            found += max(0.0, min(change.at, until) - at)
        at = max(at, min(change.at, until))
        playing[change.track] = change.playing
    return found + (max(0.0, until - at) if any(playing.values()) else 0.0)


def _paths_at(changes: list[PlaybackChanged], stretch: StretchHeard) -> tuple[PlayPath, ...]:
    """The ways that there were while it was audible: the last that were told of before its end."""
    told = [c for c in changes if c.at <= stretch.until]
    return told[-1].paths if told else ()


def _told(change: PlaybackChanged) -> str:
    return (
        ", ".join(f"{p.by} ({p.state}{f': {p.error}' if p.error else ''})" for p in change.paths) or "nothing"
    )


def _disabled_throughout(timeline: Timeline, stretch: StretchHeard) -> bool:
    last = timeline.last(TrackChanged, where=lambda t: t.received and not t.ended, before=stretch.until)
    return last is not None and not last.enabled


def _track_missed(timeline: Timeline) -> ListenerAdded | None:
    """A listener for tracks that was there only after the first track was."""
    came = timeline.first(TrackChanged, where=lambda t: t.received)
    number = the_connection(timeline)
    listener = timeline.first(
        ListenerAdded, where=lambda e: e.connection == number and e.on == "connection" and e.type == "track"
    )
    return listener if came is not None and listener is not None and listener.at > came.at else None
