"""What all parts of one conversation share: the time, the agenda, the ids, and the way out."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from harness.fakes.openai.conversation.agenda import Agenda, Appointment
from harness.fakes.openai.conversation.behaviour import Behaviour
from harness.fakes.openai.conversation.outputs import Close, Output
from harness.fakes.openai.conversation.refusals import RefusedError
from harness.fakes.openai.conversation.settings import ConversationSettings
from harness.fakes.openai.conversation.variation import Variation
from harness.fakes.openai.ids import Ids


class Line:
    """Collects outputs until they are taken; after `Close` nothing goes out and nothing happens any more."""

    def __init__(self, settings: ConversationSettings, rng: random.Random, behaviour: Behaviour) -> None:
        self.settings = settings
        self.behaviour = behaviour
        self.ids = Ids(rng)
        self.variation = Variation(rng if settings.vary else None)
        self.agenda = Agenda()
        self.now = 0.0
        self.closed = False
        self._outputs: list[Output] = []

    def send(self, type_: str, **fields: Any) -> None:
        """Send a server event; its id is made here."""
        event = {"type": type_, "event_id": self.ids.new("event"), **fields}
        for output in self.behaviour.sending(event):
            self.put(output)

    def obfuscation(self) -> dict[str, str]:
        """The field of random length that hides how long a delta is from who counts encrypted bytes."""
        return {"obfuscation": self.ids.padding()}

    def refuse(self, refused: RefusedError, event_id: str | None = None) -> None:
        """Send the one `error` of a refused client event, or of a response that could not be made."""
        self.send("error", error=refused.details(event_id))

    def put(self, output: Output) -> None:
        """Ask the I/O for something."""
        if self.closed:
            return
        self._outputs.append(output)
        if isinstance(output, Close):
            self.closed = True
            self.agenda.clear()

    def after(self, seconds: float, action: Callable[[], None]) -> Appointment:
        """Do `action` in so many seconds from now."""
        return self.agenda.add(self.now + seconds, action)

    def take(self) -> list[Output]:
        """All outputs since the last time."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def run_until(self, now: float) -> None:
        """Let everything happen that is due, each at its own time, so that being late does not add up."""
        while (appointment := self.agenda.take_due(now)) is not None:
            self.now = max(self.now, appointment.at)
            if appointment.action is not None:
                appointment.action()
        self.now = max(self.now, now)
