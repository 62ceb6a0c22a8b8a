"""Which official clients hold conversations with the fake, and which features each is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
INSTALLED = FOLDER / "node_modules" / ".installed"  # made once `npm ci` has done package-lock.json
OWN_PYTHON = ROOT / ".venv-clients" / "bin" / "python"  # with requirements.txt
OWN_INSTALLED = ROOT / ".venv-clients" / ".installed"

FEATURES = {
    "connect": "a session is opened and configured",
    "spoken turn": "recorded speech is heard by the fake's turn detection, and audio comes back",
    "transcription": "what the caller said arrives as text",
    "barge-in": "the caller speaks into a reply: it is cancelled, and what was said is answered",
    "interrupt()": "the client stops a reply by itself",
    "text": "a typed message is answered in text",
    "tool call": "a function is called by name with arguments, its output sent, and a spoken reply follows",
    "mute": "what is said while muted is not heard, what is said afterwards is",
    "sideband": "a second connection by the call's id steers it",
    "hang-up by id": "`realtime.calls.hangup` ends the call, and the client learns of it",
    "close": "the client ends the call, and the fake has seen it end",
}

RunsIn = Literal["node", "page", "python", "own-python"]

_SOCKET = {
    "hang-up by id": "the WebSocket is the call: closing it ends it",
}
_NO_MUTE = {"mute": "the program decides what audio it sends; the client has no switch"}
_ONE_PAGE = {"sideband": "for servers: a page holds no key that may join a call"}


@dataclass(frozen=True)
class Client:
    """`program`: a module of `programs/`. `lacks`: the features it does not have, each with the reason."""

    name: str
    runs_in: RunsIn
    program: str
    lacks: Mapping[str, str] = field(default_factory=dict)
    native: bool = False

    @property
    def features(self) -> list[str]:
        """Those that it has to show."""
        return [name for name in FEATURES if name not in self.lacks]


CLIENTS = (
    Client("openai-node, WebSocket (ws)", "node", "openai_node", {**_SOCKET, **_NO_MUTE}),
    Client(
        "openai-node, WebSocket (Node's own)", "node", "openai_node", {**_SOCKET, **_NO_MUTE}, native=True
    ),
    Client("openai-node, WebRTC in Chromium", "page", "openai_page", _ONE_PAGE),
    Client(
        "agents-realtime, WebSocket in Node",
        "node",
        "agents_node",
        {**_SOCKET, "mute": "`mute()` of this transport throws: the program is to send nothing"},
    ),
    Client(
        "agents-realtime, WebRTC in Chromium",
        "page",
        "agents_page",
        {**_ONE_PAGE, "hang-up by id": "the package has no such request"},
    ),
    Client("openai-python, WebSocket", "python", "openai_python", {**_SOCKET, **_NO_MUTE}),
    Client("openai-python with aiortc, WebRTC", "python", "openai_python_calls", _NO_MUTE),
    Client("openai-agents (Python), WebSocket", "own-python", "openai_agents", {**_SOCKET, **_NO_MUTE}),
    Client(
        "livekit-plugins-openai, WebSocket",
        "own-python",
        "livekit_plugin",
        {**_SOCKET, **_NO_MUTE, "sideband": "it has no way to name a call"},
    ),
)
