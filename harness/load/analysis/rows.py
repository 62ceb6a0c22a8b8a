"""The rows of Locust's statistics: what each stage of a call is called there, and where a failure shows."""

from __future__ import annotations

SDP_POST = "SDP POST"
ICE = "ICE connected"
CHANNEL = "DC open"
UPDATE = "session.update"
DETECTED = "turn detected"
FIRST_AUDIO = "first audio"
WHOLE_TURN = "whole turn"
RECONNECT = "reconnect"
CALL = "call"  # the whole call: each is counted here once, with its failure

# Stage of `core.stages` → row. DC open counts from the POST, which is what a person waits for.
OF_STAGE = {
    "answer": SDP_POST,
    "ice": ICE,
    "set-up": CHANNEL,
    "session-update": UPDATE,
    "turn-detected": DETECTED,
    "first-audio": FIRST_AUDIO,
    "turn": WHOLE_TURN,
}
ROWS = (*OF_STAGE.values(), RECONNECT)

# Where a failed requirement shows, by the longest beginning of its id that is named here.
_OF_REQUIREMENT = {
    "signaling.": SDP_POST,
    "connectivity.": CHANNEL,
    "connectivity.gathering": ICE,
    "connectivity.ice": ICE,
    "session.": UPDATE,
    "session.created": CHANNEL,
    "turns.": WHOLE_TURN,
    "turns.speech": DETECTED,
    "turns.one-turn": DETECTED,
    "turns.boundaries": DETECTED,
    "turns.latency": FIRST_AUDIO,
    "audio.": WHOLE_TURN,
    "audio.comes-back": FIRST_AUDIO,
}


def row_of(requirement: str) -> str:
    """The row of the stage that a requirement is about; `call` where it is about none."""
    named = [start for start in _OF_REQUIREMENT if requirement.startswith(start)]
    return _OF_REQUIREMENT[max(named, key=len)] if named else CALL
