"""Two faults in one call: whatever comes later, the earlier one is the root."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations
from typing import Any, get_args

from harness.fakes.faults.registry import Fault, Stage
from harness.fakes.openai.faults import OPENAI_FAULTS
from harness.fakes.relay.faults import RELAY_FAULTS
from harness.requirements import REGISTRY
from tests.system import conversations
from tests.system.planted import Conversation, Planted, Side

STAGES: tuple[Stage, ...] = get_args(Stage)
IDS = [requirement.id for requirement in REGISTRY]

# These act at a moment of their own and not at a stage, so that which comes first is a matter of seconds.
TIMED = ("channel-closed", "peer-gone", "session-expired-unannounced")


@dataclass(frozen=True)
class Pair:
    """`first` is the root, `second` what happens behind it, if the call still comes to it."""

    first: Planted
    second: Planted
    conversation: Conversation
    ice: str = ""
    usage: str = ""
    alone: bool = False
    lasting: bool = False
    caller: str = "aiortc"

    @property
    def faults(self) -> tuple[tuple[Side, str], ...]:
        """Of both."""
        return self.first.faults + self.second.faults

    @property
    def limits(self) -> tuple[tuple[str, float], ...]:
        """Of both."""
        return self.first.limits + self.second.limits

    @property
    def target(self) -> tuple[tuple[str, Any], ...]:
        """Of both."""
        return self.first.target + self.second.target

    @property
    def offer(self) -> str:
        """What one of them needs."""
        return self.first.offer or self.second.offer

    @property
    def on(self) -> str:
        """The day that one of them needs."""
        return self.first.on or self.second.on

    def __str__(self) -> str:
        return f"{self.first.what} + {self.second.what}"


def all_pairs(planted: list[Planted]) -> list[Pair]:
    """Every two faults of different stages that can meet in one call.

    Not those that are found by offers which reach the upstream: it has to behave.
    """
    plain = [p for p in planted if len(p.faults) == 1 and not (p.ice or p.alone or p.lasting)]
    plain = [p for p in plain if p.caller == "aiortc"]
    single = [p for p in plain if _fault(p).name not in TIMED]
    found = (_pair(a, b) for a, b in combinations(single, 2))
    return [pair for pair in found if pair is not None]


def sample(planted: list[Planted], number: int, seed: int) -> list[Pair]:
    """So many of them, by chance that can be repeated."""
    pairs = all_pairs(planted)
    return random.Random(seed).sample(pairs, min(number, len(pairs)))


def _pair(a: Planted, b: Planted) -> Pair | None:
    conversation = _joint(a.conversation, b.conversation)
    if conversation is None or _fault(a).stage == _fault(b).stage:
        return None
    first, second = sorted((a, b), key=_position)
    return Pair(first, second, conversation)


def _position(planted: Planted) -> tuple[bool, int, int]:
    """In the order of a call; two causes of one requirement in the order of their faults.

    What is refused at the relay's door comes first: nothing is made of it, so nothing can be made wrongly.
    """
    stage = _fault(planted).stage
    return stage != "request", IDS.index(planted.requirement), STAGES.index(stage)


def _fault(planted: Planted) -> Fault:
    ((side, text),) = planted.faults
    return (RELAY_FAULTS if side == "relay" else OPENAI_FAULTS).parse(text)[0]


def _joint(a: Conversation, b: Conversation) -> Conversation | None:
    """The conversation that contains both, if there is one."""
    if a is b:
        return a
    if not {a, b} <= CONNECTING:
        return None
    for shorter, longer in ((a, b), (b, a)):
        if shorter is conversations.connects:
            return longer
        if (shorter, longer) == (conversations.configures, conversations.takes_a_turn):
            return longer
    return None


CONNECTING = {
    conversations.connects,
    conversations.configures,
    conversations.takes_a_turn,
    conversations.asks_at_length,
    conversations.climbs_updates,
    conversations.says_two_things,
    conversations.speaks_again,
    conversations.speaks_muted,
    conversations.stays_on_the_line,
    conversations.talks_over_the_reply,
    conversations.updates_wrongly,
}
