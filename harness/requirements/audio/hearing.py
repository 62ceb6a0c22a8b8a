"""Whoever speaks and waits hears something: the last word on a conversation."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.core.events import CallLost, ServerEvent
from harness.core.fields import field, text
from harness.core.listening import SHORTEST_SOUND, Heard, Wait, answers_in, heard, unspoken, waits
from harness.core.session import session_in_force
from harness.core.speech import utterances
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.core.turns import Reply, detections
from harness.requirements.audio.coming import speaks
from harness.requirements.conditions import last_moment, limit_of, started
from harness.requirements.exchanges import excerpt
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
from harness.requirements.registry import requirement
from harness.requirements.session.configuring import manual_turns
from harness.requirements.session.lasting import expired_upstream, expiry_announced


def _not_awaited(timeline: Timeline) -> NotApplicable | None:
    if started(timeline).silent:
        return NotApplicable("the target is configured as one that is not heard (silent)")
    if unspoken(timeline) is not None or _waits(timeline):
        return None
    if utterances(timeline):
        return NotApplicable("the caller spoke, and did not wait to be answered")
    return NotApplicable("the caller said nothing")


AWAITED = Condition("the caller speaks and waits to be answered", _not_awaited)


@requirement(
    "audio.something-heard",
    "Whoever speaks and waits hears something",
    stage=CallStage.REPLY,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "What a voice relay is for",
        "A call in which the caller speaks, waits and hears nothing has failed, whatever each single rule "
        "says of it. A target that is not meant to be heard says so: `silent = true` in harness.toml, or "
        "`--silent`.",
    ),
    needs=("audio.comes-back",),
    when=(AWAITED,),
    bears_bad_network=True,
    by_ear=True,
    also_in=("turns",),  # a conversation whose turns alone are judged is one all the same
    causes={
        "text-only-session": Cause(
            "the session is text only, so no audio can come",
            'set output_modalities to ["audio"] in the session that the relay sends (text comes with it, as '
            'the transcript), and look for a session.update or response.create that sets ["text"]',
        ),
        "reply-without-audio": Cause(
            "a response was completed, and nothing of it was spoken",
            "look at `output` of its response.done: an empty one means that prompt and tools left the model "
            "nothing to say; look for a response.create with an input or instructions that ask for nothing",
        ),
        "reply-cut-off": Cause(
            "every response was cancelled before anything of it was heard",
            "find who cancels: a response.cancel or output_audio_buffer.clear of the page or a sideband, or "
            "noise that turn detection takes for speech (raise its threshold, use noise_reduction)",
            in_time=True,
        ),
        "turn-never-committed": Cause(
            "turn detection is off, and nobody committed what the caller said",
            "send input_audio_buffer.commit when the caller has finished, then response.create; or leave "
            "turn_detection at server_vad",
            in_time=True,
        ),
        "response-never-asked": Cause(
            "what the caller said was committed, and nobody asked for a response",
            "with turn detection off no response comes by itself: send response.create after "
            "input_audio_buffer.commit",
            in_time=True,
        ),
        "nothing-heard": Cause(
            "the caller spoke, waited and heard nothing, and nothing else tells why",
            "read the call's events from the end of speech on: which was the last, and whose turn was it to "
            "send the next; then look at the upstream's log for the session",
            in_time=True,
        ),
    },
)
def something_heard(timeline: Timeline) -> Finding:
    """After everything said to which an answer was awaited, something audible comes."""
    unsaid = unspoken(timeline)
    if unsaid is not None:
        return Inconclusive(f"the caller could not speak ({unsaid.step}): {unsaid.failed}")
    for wait in _waits(timeline):
        came = heard(timeline, wait.since, wait.until)
        answers = answers_in(timeline, wait)
        if not came.audible and not any(r.audible_seconds >= SHORTEST_SOUND for r in answers):
            return _unheard(timeline, wait, came, answers)
    return None


def _waits(timeline: Timeline) -> list[Wait]:
    return waits(timeline, last_moment(timeline), limit_of(timeline, "response_s"))


def _unheard(timeline: Timeline, wait: Wait, came: Heard, answers: list[Reply]) -> Finding:
    if timeline.first(CallLost) or expiry_announced(timeline) or expired_upstream(timeline):
        return NotApplicable("the call was over before an answer could be heard")
    if came.unknown:
        return Inconclusive(f"{came.packets} packets came, and none of them was decoded")
    said = Evidence(wait.said.end, f"the end of {wait.said.name}")
    found = _by_answers(timeline, answers) if answers else _unanswered(timeline, wait)
    if not isinstance(found, tuple):
        return found
    cause, seen, evidence = found
    loudest = "" if came.loudest is None else f", the loudest at {came.loudest:.0f} dBFS"
    silence = f"{came.packets} packets of silence{loudest}" if came.packets else "not one audio packet"
    waited = f"{wait.until - wait.since:.1f} s after {wait.said.name}"
    quotes = sorted((said, *evidence), key=lambda quote: quote.at or 0.0)
    return Violation(cause, f"{seen}; {silence} in {waited}", tuple(quotes))


Named = tuple[str, str, tuple[Evidence, ...]]


def _by_answers(timeline: Timeline, answers: list[Reply]) -> Named | Inconclusive:
    """What the responses themselves tell, the plainest first."""
    for reply in answers:
        modalities = _modalities(timeline, reply)
        if modalities == ["text"] and not reply.has_audio:
            return "text-only-session", 'output_modalities is ["text"]', tuple(_told(timeline, reply))
    pending = next((r for r in answers if r.done_at is None), None)
    if pending is not None:
        return Inconclusive(f"the call ended before response {pending.id} was done")
    if any(r.calls_function and not speaks(r) for r in answers):
        return Inconclusive(
            "the response called a function, whose result nobody gave: where the page runs it, this caller "
            "cannot; where the relay does, look there"
        )
    quotes = tuple(
        Evidence(r.done_at, f"response.done {r.id}, {r.status} {r.reason}".rstrip()) for r in answers
    )
    if all(r.interrupted for r in answers):
        reasons = ", ".join(dict.fromkeys(r.reason or "no reason given" for r in answers))
        return "reply-cut-off", f"{_counted(answers)} cancelled or cleared ({reasons})", quotes
    silent = next((r for r in answers if not r.interrupted and not speaks(r)), None)
    if silent is not None:
        output = "an output without audio" if silent.has_output else "an empty output"
        return "reply-without-audio", f"response {silent.id} is {silent.status} with {output}", quotes
    return "nothing-heard", f"{_counted(answers)} made and not heard", quotes


def _unanswered(timeline: Timeline, wait: Wait) -> Named | Inconclusive:
    """No response came while one was awaited."""
    if manual_turns(timeline):
        within = {"after": wait.said.start, "before": wait.until}
        commits = timeline.server_events("input_audio_buffer.committed", **within)
        if not commits:
            return (
                "turn-never-committed",
                "turn_detection is null, and input_audio_buffer.committed never came",
                (),
            )
        if not timeline.client_events("response.create", **within):
            quotes = (Evidence(commits[0].at, commits[0].type),)
            return "response-never-asked", "turn_detection is null, no response.create", quotes
    watched, needed = wait.until - wait.since, limit_of(timeline, "response_s")
    if watched < needed:
        return Inconclusive(f"an answer was awaited for only {watched:.1f} s after {wait.said.name}")
    found = [d for d in detections(timeline) if wait.said.start <= d.started_at < wait.until]
    seen = "the speech was detected" if found else "the speech was not detected"
    seen = "response.create was sent" if manual_turns(timeline) else seen
    last = timeline.server_events(before=wait.until)[-1:]
    evidence = tuple(Evidence(e.at, f"the last server event: {excerpt(e.type)}") for e in last)
    return "nothing-heard", f"{seen}, and no response was created", evidence


def _modalities(timeline: Timeline, reply: Reply) -> object:
    """What the response was to be made of: by its own word, else by the session's."""
    for event in reversed(_of_reply(timeline, reply)):
        response = field(event.event, "response")
        if own := field(response, "output_modalities") or field(response, "modalities"):
            return own
    session = session_in_force(timeline, reply.created_at)
    return session.get("output_modalities") or session.get("modalities")


def _told(timeline: Timeline, reply: Reply) -> Iterator[Evidence]:
    """Where it is said that only text will come."""
    for event in timeline.server_events("session.created", "session.updated", before=reply.created_at)[-1:]:
        said = field(event.event, "session", "output_modalities")
        yield Evidence(event.at, f"{event.type}: output_modalities {json.dumps(said)}")
    for event in _of_reply(timeline, reply)[-1:]:
        said = field(event.event, "response", "output_modalities")
        yield Evidence(event.at, f"{event.type} {reply.id}: output_modalities {json.dumps(said)}")


def _of_reply(timeline: Timeline, reply: Reply) -> list[ServerEvent]:
    return [e for e in timeline.once(_by_reply).get(reply.id, ()) if e.at >= reply.created_at]


def _by_reply(timeline: Timeline) -> dict[str, list[ServerEvent]]:
    found: dict[str, list[ServerEvent]] = {}
    for event in timeline.server_events("response.created", "response.done"):
        found.setdefault(text(event.event, "response", "id"), []).append(event)
    return found


def _counted(answers: list[Reply]) -> str:
    return "the response was" if len(answers) == 1 else f"{len(answers)} responses were"
