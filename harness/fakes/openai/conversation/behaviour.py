"""How one conversation departs from the rules: each of its faults is a quirk with a few hooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.fakes.faults.plan import CallFaults
from harness.fakes.faults.registry import OPENAI_FAULTS, Contract, FaultValue
from harness.fakes.openai.conversation.outputs import Output, Send
from harness.fakes.openai.conversation.settings import ConversationSettings


@dataclass(frozen=True)
class Speech:
    """What a voice activity detector says: speech started or stopped, at a time on the audio clock."""

    started: bool
    audio_ms: int


@dataclass(frozen=True)
class Ending:
    """How a response ends, after `part` of it: with `status`, or, where that is empty, never."""

    status: str
    part: float = 0.0
    reason: str = ""
    error: dict[str, str] | None = None


class Quirk:
    """One fault in a conversation. A subclass overrides what it gets wrong; the rest is as it should be."""

    def __init__(self, value: FaultValue) -> None:
        self.value = value

    def settings(self, settings: ConversationSettings) -> ConversationSettings:
        """The settings to hold the conversation with."""
        return settings

    def session(self, session: dict[str, Any]) -> None:
        """Change the session in force, at the start and after each update."""

    def chokes_on(self, size: int) -> bool:
        """Whether a client message of so many bytes is the end of the channel."""
        del size
        return False

    def ignores(self, event: dict[str, Any]) -> bool:
        """Whether a client event is lost. May raise RefusedError to refuse it."""
        del event
        return False

    def applies(self, event: dict[str, Any]) -> bool:
        """Whether a valid session.update takes effect; it is acknowledged all the same."""
        del event
        return True

    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        """What goes out in place of a server event."""
        yield Send(event)

    def hearing(self, speech: Speech) -> Iterable[Speech]:
        """What the detector says in place of the truth."""
        yield speech

    def heard(self, total_ms: int) -> Iterable[Speech]:
        """What the detector makes up as the audio clock moves."""
        del total_ms
        return ()

    def played(self, played_ms: int, total_ms: int) -> Iterable[Speech]:
        """What the detector makes up while the assistant speaks."""
        del played_ms, total_ms
        return ()

    def answers(self) -> bool:
        """Whether a response is made at all."""
        return True

    def ending(self) -> Ending | None:
        """How the next response ends, if not well."""
        return None

    def transcription_error(self) -> dict[str, str] | None:
        """Why the next transcription fails, if it does."""
        return None

    def interruptible(self) -> bool:
        """Whether the assistant stops when the caller speaks."""
        return True

    def announces_expiry(self) -> bool:
        """Whether an `error` comes before the close when the session expires."""
        return True


CONVERSATION: Contract[type[Quirk]] = Contract(OPENAI_FAULTS)


class Behaviour:
    """The quirks of one conversation, asked in the order in which they were planned; none by default."""

    def __init__(self, quirks: Sequence[Quirk] = ()) -> None:
        self._quirks = tuple(quirks)

    @classmethod
    def of(cls, faults: CallFaults) -> Behaviour:
        """The quirks among the faults of a call; other parts of the fake carry out the rest."""
        return cls([unit(value) for unit, value, _ in CONVERSATION.met(faults)])

    def settings(self, settings: ConversationSettings) -> ConversationSettings:
        for quirk in self._quirks:
            settings = quirk.settings(settings)
        return settings

    def session(self, session: dict[str, Any]) -> None:
        for quirk in self._quirks:
            quirk.session(session)

    def chokes_on(self, size: int) -> bool:
        return any(quirk.chokes_on(size) for quirk in self._quirks)

    def ignores(self, event: dict[str, Any]) -> bool:
        return any(quirk.ignores(event) for quirk in self._quirks)

    def applies(self, event: dict[str, Any]) -> bool:
        return all(quirk.applies(event) for quirk in self._quirks)

    def sending(self, event: dict[str, Any]) -> list[Output]:
        outputs: list[Output] = [Send(event)]
        for quirk in self._quirks:
            outputs = [out for sent in outputs for out in _resent(quirk, sent)]
        return outputs

    def hearing(self, speech: Speech) -> list[Speech]:
        signals = [speech]
        for quirk in self._quirks:
            signals = [heard for signal in signals for heard in quirk.hearing(signal)]
        return signals

    def heard(self, total_ms: int) -> list[Speech]:
        return [speech for quirk in self._quirks for speech in quirk.heard(total_ms)]

    def played(self, played_ms: int, total_ms: int) -> list[Speech]:
        return [speech for quirk in self._quirks for speech in quirk.played(played_ms, total_ms)]

    def answers(self) -> bool:
        return all(quirk.answers() for quirk in self._quirks)

    def ending(self) -> Ending | None:
        endings = [quirk.ending() for quirk in self._quirks]
        return next((ending for ending in endings if ending is not None), None)

    def transcription_error(self) -> dict[str, str] | None:
        errors = [quirk.transcription_error() for quirk in self._quirks]
        return next((error for error in errors if error is not None), None)

    def interruptible(self) -> bool:
        return all(quirk.interruptible() for quirk in self._quirks)

    def announces_expiry(self) -> bool:
        return all(quirk.announces_expiry() for quirk in self._quirks)


def _resent(quirk: Quirk, output: Output) -> Iterable[Output]:
    return quirk.sending(output.event) if isinstance(output, Send) else (output,)
