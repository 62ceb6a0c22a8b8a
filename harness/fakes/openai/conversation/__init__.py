"""The Realtime conversation, sans I/O: see `Conversation`."""

from harness.fakes.openai.conversation.behaviour import Behaviour, Ending, Quirk, Speech
from harness.fakes.openai.conversation.conversation import Conversation
from harness.fakes.openai.conversation.outputs import (
    AppendInput,
    Carrying,
    ClearInput,
    Close,
    Output,
    Play,
    Send,
    SendRaw,
    StopPlaying,
)
from harness.fakes.openai.conversation.refusals import RefusedError
from harness.fakes.openai.conversation.session import check_session
from harness.fakes.openai.conversation.settings import ConversationSettings

__all__ = [
    "AppendInput",
    "Behaviour",
    "Carrying",
    "ClearInput",
    "Close",
    "Conversation",
    "ConversationSettings",
    "Ending",
    "Output",
    "Play",
    "Quirk",
    "RefusedError",
    "Send",
    "SendRaw",
    "Speech",
    "StopPlaying",
    "check_session",
]
