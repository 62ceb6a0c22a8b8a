"""The quickest look at a relay: connect, one short turn, hang up as soon as the reply is heard."""

from __future__ import annotations

from harness.call import Caller, scenario
from harness.call.playing_out import NOTHING_HEARD_SECONDS
from harness.requirements.model import Requirement
from harness.requirements.registry import REGISTRY

CLIP = "en-m-yes"


@scenario(
    areas=("signaling", "connectivity", "session", "cost"),
    requirements=("turns.speech-detected", "audio.comes-back"),
)
async def smoke(caller: Caller) -> None:
    """A caller says one word, hears that it is answered, and hangs up."""
    await caller.connect()
    await caller.say(CLIP)
    await caller.wait_for("response.done", within=caller.line.timeouts.turn)
    await caller.is_answered(NOTHING_HEARD_SECONDS)
    await caller.stay_silent(1.0)  # so that a second of the reply is heard
    await caller.hang_up()


def smoke_requirements() -> tuple[Requirement, ...]:
    """What so short a call can be judged by: it is hung up in the middle of the reply."""
    return tuple(REGISTRY.select(ids=smoke.requirements, areas=smoke.areas))
