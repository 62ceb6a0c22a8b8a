"""Faults in the session, its events, turns, responses, audio and bill."""

from __future__ import annotations

from tests.system.conversations import (
    asks_at_length,
    asks_by_hand,
    asks_for_nothing,
    asks_for_what_a_tool_knows,
    climbs_updates,
    commits_nothing,
    configures,
    connects,
    hums_over_the_reply,
    presses_keys_over_the_reply,
    says_two_things,
    speaks_again,
    speaks_muted,
    stays_on_the_line,
    takes_a_turn,
    talks_over_the_reply,
    updates_wrongly,
)
from tests.system.planted import configured, fake, relay

# A planted fault goes far beyond what a busy machine does to a call, so its verdict need not wait for quiet.
BUSY = (("lateness_p99_ms", 1000.0), ("lateness_max_ms", 5000.0))
UNTIMED = (*BUSY, ("gap_ms", 2000.0), ("jitter_ms", 500.0))

PLANTED = [
    # Session.
    fake("no-session-created", "session.created: session-created-missing", connects),
    fake("session-update-ignored", "session.update-accepted: update-ignored", configures),
    fake("session-update-refused", "session.update-accepted: update-refused", configures),
    fake("session-update-not-applied", "session.update-accepted: update-not-applied", configures),
    fake("turn-detection-off", "session.vad-configured: vad-disabled", takes_a_turn),
    fake("large-message-fatal", "session.large-update: message-too-large", climbs_updates),
    fake("answer-max-message-size", "session.large-update: over-max-message-size", climbs_updates),
    fake("errors-unreported", "session.error-reported: error-not-reported", updates_wrongly),
    fake("server-error", "session.stays-alive: server-error", takes_a_turn),
    # Events.
    fake("event-not-json", "session.events-valid: event-malformed", takes_a_turn),
    fake("event-malformed", "session.events-valid: event-malformed", takes_a_turn),
    fake("event-unknown", "session.events-valid: event-unknown", takes_a_turn),
    fake("events-duplicated", "session.events-ordered: event-duplicated", takes_a_turn),
    fake(
        "events-out-of-order=conversation.item.added",
        "session.events-ordered: event-out-of-order",
        takes_a_turn,
    ),
    # Turns.
    fake("vad-deaf", "turns.speech-detected: vad-deaf", takes_a_turn, limits=UNTIMED),
    fake("turn-detection-cleared", "turns.speech-detected: vad-disabled", speaks_again, limits=UNTIMED),
    fake("vad-never-ends", "turns.speech-ends: vad-never-ends", takes_a_turn, limits=UNTIMED),
    fake("vad-splits=900", "turns.one-turn-per-utterance: utterance-split", asks_at_length, limits=UNTIMED),
    fake("vad-merges", "turns.one-turn-per-utterance: utterances-merged", says_two_things, limits=UNTIMED),
    fake("vad-start-off=700", "turns.boundaries: start-off", takes_a_turn, limits=UNTIMED),
    fake("first-words-unheard", "turns.first-words: first-words-cut", asks_at_length, limits=UNTIMED),
    fake("vad-end-off=700", "turns.boundaries: end-off", takes_a_turn, limits=UNTIMED),
    fake("vad-on-silence", "turns.no-turn-on-silence: turn-on-silence", stays_on_the_line, limits=UNTIMED),
    fake("vad-on-silence", "turns.no-turn-when-muted: turn-when-muted", speaks_muted, limits=UNTIMED),
    fake("vad-on-own-voice", "turns.interruption: self-interruption", takes_a_turn, limits=UNTIMED),
    fake(
        "vad-on-own-voice=2000",
        "turns.interruption: noise-interruption",
        presses_keys_over_the_reply,
        limits=UNTIMED,
    ),
    fake(
        "hum-interrupts",
        "turns.interruption: backchannel-interruption",
        hums_over_the_reply,
        limits=UNTIMED,
    ),
    fake("barge-in-ignored", "turns.interruption: barge-in-ignored", talks_over_the_reply, limits=UNTIMED),
    # What others send into the call.
    relay("sideband-refused", "session.events-accepted: event-refused", configures),
    fake("limit-reached", "session.events-accepted: limit-reached", takes_a_turn, limits=UNTIMED),
    # Responses.
    fake("response-never", "turns.response-completes: response-missing", takes_a_turn),
    fake("response-half", "turns.response-completes: response-incomplete", takes_a_turn),
    fake(
        "transcription-failed=insufficient_quota",
        "turns.transcription-succeeds: transcription-failed",
        takes_a_turn,
        limits=UNTIMED,
    ),
    fake(
        "transcript-wrong",
        "turns.transcribed: misheard",
        takes_a_turn,
        limits=(*UNTIMED, ("wer_percent", 30.0)),
    ),
    fake("response-slow", "turns.latency: too-slow", takes_a_turn, limits=(*UNTIMED, ("latency_ms", 2500.0))),
    fake("response-failed", "turns.response-completes: response-failed", takes_a_turn),
    relay("replies-disabled", "turns.response-completes: replies-disabled", takes_a_turn),
    fake("max-output-tokens", "turns.response-completes: max-output-tokens", takes_a_turn),
    fake("response-incomplete", "turns.response-completes: response-incomplete", takes_a_turn),
    # Tools.
    fake("tool-unknown", "turns.tool-calls: tool-unknown", asks_for_what_a_tool_knows, limits=UNTIMED),
    fake(
        "tool-arguments-broken",
        "turns.tool-calls: arguments-broken",
        asks_for_what_a_tool_knows,
        limits=UNTIMED,
    ),
    fake(
        "tool-arguments-missing",
        "turns.tool-calls: arguments-missing",
        asks_for_what_a_tool_knows,
        limits=UNTIMED,
    ),
    fake("mcp-not-listed", "turns.remote-tools: tools-not-listed", configures),
    fake("mcp-call-failed", "turns.remote-tools: remote-call-failed", takes_a_turn, limits=UNTIMED),
    # Audio.
    fake("no-audio", "audio.comes-back: no-packets", takes_a_turn),
    fake("silent-audio", "audio.comes-back: silent-audio", takes_a_turn),
    fake("quiet-audio", "audio.comes-back: too-quiet", takes_a_turn),
    fake(
        "first-words-lost=2500",
        "audio.complete: first-words-lost",
        takes_a_turn,
        limits=(*UNTIMED, ("latency_ms", 20_000.0)),
    ),
    fake("first-words-lost=600", "audio.complete: first-words-lost", takes_a_turn, limits=UNTIMED),
    fake("cross-talk", "audio.own-audio: cross-talk", takes_a_turn),
    fake("garbled-audio", "audio.intelligible: garbled-audio", takes_a_turn, limits=UNTIMED),
    fake("truncated-audio", "audio.complete: truncated-audio", takes_a_turn),
    fake("packet-loss", "audio.clean: packet-loss", takes_a_turn, limits=BUSY),
    fake("audio-bursts", "audio.clean: wrong-pace", takes_a_turn, limits=BUSY),
    # So long a pause is no end of the reply: the caller must stay to hear the rest.
    fake("audio-gaps=2500", "audio.clean: gaps", takes_a_turn, limits=BUSY),
    fake("jitter", "audio.clean: jitter", takes_a_turn, limits=(*BUSY, ("gap_ms", 2000.0))),
    fake(
        "noise-between-replies",
        "audio.silent-between-replies: noise-between-replies",
        takes_a_turn,
        limits=UNTIMED,
    ),
    fake("clipped-audio", "audio.clean: clipping", takes_a_turn, limits=UNTIMED),
    # Nothing is heard, and no single rule is broken.
    relay("text-only-session", "audio.something-heard: text-only-session", takes_a_turn),
    fake("reply-empty", "audio.something-heard: reply-without-audio", takes_a_turn),
    fake("reply-cut-off", "audio.something-heard: reply-cut-off", takes_a_turn),
    configured("audio.something-heard: turn-never-committed", commits_nothing),
    configured("audio.something-heard: response-never-asked", asks_for_nothing),
    fake("response-never", "audio.something-heard: nothing-heard", asks_by_hand),
    # Cost.
    fake("usage-missing", "cost.usage-reported: usage-missing", takes_a_turn),
    configured("cost.per-call: budget-exceeded", takes_a_turn, limits=(("cost_per_call_usd", 0.0001),)),
    configured("cost.per-run: budget-exceeded", takes_a_turn, limits=(("cost_per_run_usd", 0.0001),)),
]
