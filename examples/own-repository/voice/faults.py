"""A fault of our own for the fake OpenAI: `HARNESS_FAULTS=voice/faults.py`."""

from collections.abc import Iterable
from typing import Any

from harness.fakes.openai.conversation.behaviour import CONVERSATION, Quirk
from harness.fakes.openai.conversation.outputs import Output, Send


@CONVERSATION.fault("abrupt", "says in the transcript of a reply one word alone", stage="events")
class Abrupt(Quirk):
    """What is heard stays as it was; the transcript's last event is cut."""

    def sending(self, event: dict[str, Any]) -> Iterable[Output]:
        """Cut the transcript where it is said whole."""
        if event["type"] == "response.output_audio_transcript.done":
            event = event | {"transcript": str(event["transcript"]).split()[0]}
        yield Send(event)
