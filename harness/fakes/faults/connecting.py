"""The fake's transport gets stuck at one stage."""

from __future__ import annotations

import asyncio
import random
import re
import socket

from harness.fakes.faults.registry import FaultValue, fault
from harness.fakes.openai.hooks import CallFault, ConnectStage


@fault("ice-silent", "does not answer connectivity checks", stage="ice")
class IceSilent(CallFault):
    """Leads the caller to a socket that is there and says nothing."""

    def __init__(self, value: FaultValue, rng: random.Random) -> None:
        super().__init__(value, rng)
        self._mute: socket.socket | None = None

    def answer(self, answer: str) -> str:
        found = re.search(r"(?m)^a=candidate:\S+ \d+ \S+ \d+ (\S+) ", answer)
        address = found.group(1) if found else "127.0.0.1"
        self._mute = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self._mute.bind((address, 0))
        port = self._mute.getsockname()[1]
        return re.sub(r"(?m)^(a=candidate:\S+ \d+ \S+ \d+) \S+ \d+", rf"\1 {address} {port}", answer)

    async def before(self, stage: ConnectStage) -> bool:
        return False

    def closed(self) -> None:
        if self._mute is not None:
            self._mute.close()


@fault("dtls-silent", "never begins the DTLS handshake", stage="dtls")
class DtlsSilent(CallFault):
    async def before(self, stage: ConnectStage) -> bool:
        return stage != "dtls"


@fault("sctp-silent", "never answers on SCTP, so that no data channel opens", stage="sctp")
class SctpSilent(CallFault):
    async def before(self, stage: ConnectStage) -> bool:
        return stage != "sctp"


@fault(
    "channel-late",
    "lets the data channel wait",
    stage="channel",
    default=6.0,
    value_help="seconds without SCTP; the channel opens when the caller tries again",
)
class ChannelLate(CallFault):
    async def before(self, stage: ConnectStage) -> bool:
        if stage == "sctp":
            await asyncio.sleep(float(self.value))
        return True
