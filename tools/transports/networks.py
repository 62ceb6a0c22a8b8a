"""The networks that both ways are measured over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.network.presets import PRESETS, Conditions

BLACKOUT_SECONDS = 2.0
PUBLISHED_FROM = 20  # calls of each network and way
Moment = Literal["", "reply", "speech"]


@dataclass(frozen=True)
class Network:
    """`dark`: in the midst of what a blackout comes, if one does."""

    name: str
    preset: str
    dark: Moment = ""

    @property
    def conditions(self) -> Conditions:
        return PRESETS[self.preset]


NETWORKS = {
    network.name: network
    for network in (
        Network("clean", "clear"),
        Network("4g", "4g"),
        Network("3g", "3g"),
        Network("train", "train"),
        Network("hotel", "hotel"),
        # Where nothing else is wrong, so that what it does is told apart.
        Network("dark in the reply", "clear", "reply"),
        Network("dark in the question", "clear", "speech"),
    )
}
NAMES = {"websocket": "WebSocket", "webrtc": "WebRTC"}
WAYS = tuple(NAMES)
