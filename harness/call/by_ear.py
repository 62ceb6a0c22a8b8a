"""A conversation with a gateway that keeps OpenAI's events to itself: a caller knows what it hears."""

from __future__ import annotations

import asyncio

import numpy as np

from harness.call.host import Host
from harness.call.stopping import PlanStopped
from harness.core.audio import Samples
from harness.core.errors import HarnessError
from harness.core.events import CallMarked, UpstreamUnavailable
from harness.core.probes import MARKING
from harness.core.speech import utterances
from harness.speech.clip import Clip
from harness.speech.generate import silence
from harness.speech.marks import call_mark, mark_name, marked_tone

QUIET_SECONDS = 1.5  # so long without a sound is the end of a reply: longer than a speaker's pause
TONE_MS, PAUSE_MS = 400, 300
MARK_DBFS = -24.0  # as loud as speech, and yet taken for none by a neural detector
REPLY = "a reply that can be heard"


class ByEar:
    """What a caller waits for, told by sound alone."""

    def __init__(self, caller: Host) -> None:
        self.caller = caller

    @property
    def said_until(self) -> float:
        """When what was said last ended."""
        said = utterances(self.caller.line.timeline)
        return said[-1].end if said else 0.0

    @property
    def answered(self) -> bool:
        """Whether something was audible since."""
        return self.caller.line.end.heard.last_audible > self.said_until

    async def wait_for_sound(self) -> None:
        """Until an answer can be heard. Raises PlanStopped where none comes in time."""
        line = self.caller.line
        await self.caller.until(lambda: self.answered, REPLY, line.timeouts.turn)
        if not self.answered:
            raise PlanStopped(f"{REPLY} did not come within {line.timeouts.turn:g} s")

    async def wait_for_quiet(self) -> None:
        """Until what is heard has ended."""
        line = self.caller.line
        await self.caller.until(
            lambda: line.now() - line.end.heard.last_audible > QUIET_SECONDS,
            "the end of the reply's audio",
            line.timeouts.reply,
        )

    async def say_whose_call_it_is(self) -> None:
        """Say the call's own tone until the fake has heard it, where there is a fake.

        So the upstream call is known, whatever the gateway made of the offer, and the first word of the
        conversation is not lost to a gateway that has no upstream yet.
        """
        line = self.caller.line
        if line.upstream is None or not line.end.ufrag:
            return
        mark = call_mark(line.end.ufrag)
        tone = Clip(mark_name(mark), "generated", "", "", "", "", "", (), lambda: _tone(mark))
        began, call = line.clock.origin, ""
        async with self.caller.step(MARKING):
            try:
                async with asyncio.timeout(line.timeouts.created):  # for the gateway's own connection, too
                    while not call:
                        await line.end.say(tone, _nothing, _nothing)
                        call = await line.upstream.marked(mark_name(mark), began)
            except TimeoutError:
                pass  # the upstream's call is then known by its time, if at all
            except HarnessError as error:
                line.record(UpstreamUnavailable(at=line.now(), reason=str(error)))
            line.record(CallMarked(at=line.now(), mark=mark_name(mark), call=call))


def _tone(mark: int) -> Samples:
    return np.concatenate([marked_tone(mark, TONE_MS, level_dbfs=MARK_DBFS), silence(PAUSE_MS)])


def _nothing(*_: object) -> None:
    """A tone is no utterance."""
