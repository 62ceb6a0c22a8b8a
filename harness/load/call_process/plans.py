"""What the callers of a load test do: the same verbs as a scenario's, with a person's pauses and patience."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.call import Caller, PlanStopped, Scenario
from harness.call.scenario import Plan
from harness.load.call_process.personas import Persona

# What a caller says of itself is in its own language, and so is what it asks of the assistant.
INSTRUCTIONS = {"es": "Responde siempre en español y con brevedad.", "en": "Answer in English, briefly."}
AREAS = ("signaling", "connectivity", "session", "turns", "audio", "lifecycle")
ABANDONED = "the caller's patience ended before a reply was heard"

Progress = Callable[[Caller], None]


@dataclass(frozen=True)
class CallPlan:
    """The calls that one order makes, one after the other: a caller who comes back makes two."""

    calls: tuple[Scenario, ...]


def steady(persona: Persona, turns: int, progress: Progress) -> CallPlan:
    """A conversation of several turns."""

    async def converse(caller: Caller) -> None:
        await _begin(caller, persona, progress)
        for turn in range(turns):
            await _turn(caller, persona, turn, progress)
            await caller.stay_silent(persona.pause_s)
        await caller.hang_up()

    return CallPlan((_scenario("steady", converse, AREAS),))


def churn(persona: Persona, turns: int, progress: Progress) -> CallPlan:  # noqa: ARG001  (always one turn)
    """Connect, one turn, hang up: as much setting up as a call can have."""

    async def ask_once(caller: Caller) -> None:
        await _begin(caller, persona, progress)
        await _turn(caller, persona, 0, progress)
        await caller.hang_up()

    return CallPlan((_scenario("churn", ask_once, AREAS),))


def reconnecting(persona: Persona, turns: int, progress: Progress) -> CallPlan:  # noqa: ARG001  (two)
    """A call that breaks off without a goodbye, and the call with which the caller comes back."""

    async def break_off(caller: Caller) -> None:
        await _begin(caller, persona, progress)
        await _turn(caller, persona, 0, progress)
        await caller.drop()

    async def come_back(caller: Caller) -> None:
        await _begin(caller, persona, progress)
        await _turn(caller, persona, 1, progress)
        await caller.hang_up()

    # Nobody hung up the first call, so its release is the upstream's affair, after ICE's consent has run out.
    return CallPlan(
        (
            _scenario("broken-off", break_off, [area for area in AREAS if area != "lifecycle"]),
            _scenario("come-back", come_back, AREAS),
        )
    )


def interrupting(persona: Persona, turns: int, progress: Progress) -> CallPlan:  # noqa: ARG001  (two)
    """A caller who speaks into the reply, and is answered anew."""

    async def cut_in(caller: Caller) -> None:
        await _begin(caller, persona, progress)
        await caller.say(persona.clip(0))
        await caller.interrupt(persona.cuts_in)
        await caller.hear_reply()
        progress(caller)
        await caller.hang_up()

    return CallPlan((_scenario("interrupting", cut_in, AREAS),))


PLANS: dict[str, Callable[[Persona, int, Progress], CallPlan]] = {
    "steady": steady,
    "churn": churn,
    "reconnecting": reconnecting,
    "interrupting": interrupting,
}


async def _begin(caller: Caller, persona: Persona, progress: Progress) -> None:
    await caller.connect()
    progress(caller)
    await caller.update_session(instructions=INSTRUCTIONS.get(persona.language, INSTRUCTIONS["en"]))
    progress(caller)


async def _turn(caller: Caller, persona: Persona, turn: int, progress: Progress) -> None:
    await caller.say(persona.clip(turn))
    if not await caller.is_answered(persona.patience_s):
        if persona.impatience == "hangs up":
            await caller.hang_up()
            raise PlanStopped(ABANDONED)
        await caller.say(persona.clip(turn))
    await caller.hear_reply()
    progress(caller)


def _scenario(name: str, plan: Plan, areas: Iterable[str]) -> Scenario:
    return Scenario(name, f"a {name} caller", plan, tuple(areas))
