"""The rows of Locust's statistics: what each stage of a call is called there, and where a failure shows."""

from __future__ import annotations

from harness.core.stages import CallStage

SDP_POST = "SDP POST"
ICE = "ICE connected"
CHANNEL = "DC open"
UPDATE = "session.update"
DETECTED = "turn detected"
FIRST_AUDIO = "first audio"
WHOLE_TURN = "whole turn"
RECONNECT = "reconnect"
CALL = "call"  # the whole call: each is counted here once, with its failure
OFFER = "offer"  # an offer alone, in Locust beside calls: from when it was due to its answer, each once

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

# Where a failed requirement shows.
_OF_STAGE_JUDGED = {
    CallStage.GATHERING: ICE,
    **dict.fromkeys(
        (CallStage.OFFER, CallStage.ARRIVAL, CallStage.ANSWER, CallStage.CHANNEL_ANSWER), SDP_POST
    ),
    CallStage.ICE: ICE,
    **dict.fromkeys((CallStage.DTLS, CallStage.CHANNEL, CallStage.SESSION), CHANNEL),
    CallStage.UPDATE: UPDATE,
    CallStage.DETECTION: DETECTED,
    CallStage.FIRST_AUDIO: FIRST_AUDIO,
    CallStage.REPLY: WHOLE_TURN,
}


def row_of(stage: CallStage) -> str:
    """The row of a stage that requirements are about; `call` for the end of a call, and for all of it."""
    return _OF_STAGE_JUDGED.get(stage, CALL)
