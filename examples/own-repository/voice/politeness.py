"""A requirement of our own: a pure function over everything that happened in a call."""

from harness.core.timeline import Timeline
from harness.requirements import (
    Because,
    Cause,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
    requirement,
)


@requirement(
    "politeness.speaks-in-sentences",
    "A reply is more than one word",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.MINOR,
    source=Source("Our style guide", "We answer in sentences."),
    needs=("session.created",),
    causes={"abrupt": Cause("the reply is one word", "say in the instructions that replies are sentences")},
)
def speaks_in_sentences(timeline: Timeline) -> Violation | NotApplicable | None:
    """The transcript of each reply has two words or more."""
    done = timeline.server_events("response.output_audio_transcript.done")
    said = [str((event.event or {}).get("transcript", "")) for event in done]
    if not said:
        return NotApplicable("nothing was said")
    short = next((text for text in said if len(text.split()) < 2), None)
    return None if short is None else Violation("abrupt", f"it was {short!r}")
