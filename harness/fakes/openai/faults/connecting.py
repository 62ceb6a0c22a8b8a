"""The fake's transport gets stuck at one stage."""

from __future__ import annotations

import asyncio
import random

from harness.core.errors import UsageError
from harness.fakes.faults.registry import FaultValue
from harness.fakes.openai.media.hooks import MEDIA, CallControl, CallSockets, ConnectStage, MediaFault

fault = MEDIA.fault


@fault("ice-silent", "does not answer connectivity checks", stage="ice")
class IceSilent(MediaFault):
    def gathered(self, wire: CallSockets) -> None:
        wire.leave_checks_unanswered()

    async def before(self, stage: ConnectStage) -> bool:
        return False


@fault("udp-blocked", "sits behind a firewall that lets no UDP through", stage="ice")
class UdpBlocked(MediaFault):
    def gathered(self, wire: CallSockets) -> None:
        wire.block()


@fault(
    "ice-late",
    "is not to be reached at first",
    stage="ice",
    default=6.0,
    value_help="seconds without a datagram; the caller connects when it tries again",
)
class IceLate(MediaFault):
    def gathered(self, wire: CallSockets) -> None:
        asyncio.get_running_loop().call_later(float(self.value), wire.block())


@fault("dtls-silent", "never begins the DTLS handshake", stage="dtls")
class DtlsSilent(MediaFault):
    async def before(self, stage: ConnectStage) -> bool:
        return stage != "dtls"


@fault("sctp-silent", "never answers on SCTP, so that no data channel opens", stage="sctp")
class SctpSilent(MediaFault):
    async def before(self, stage: ConnectStage) -> bool:
        return stage != "sctp"


@fault(
    "channel-late",
    "lets the data channel wait",
    stage="channel",
    default=6.0,
    value_help="seconds without SCTP; the channel opens when the caller tries again",
)
class ChannelLate(MediaFault):
    async def before(self, stage: ConnectStage) -> bool:
        if stage == "sctp":
            await asyncio.sleep(float(self.value))
        return True


# By name: type, flags and length, then what there is of a body (RFC 9260, section 3.2).
CHUNKS = {
    "short-data": "00 03 0008 00000001",
    "endless-parameter": "82 00 0008 000d 0000",
    "endless-gaps": "03 00 0014 00000001 00010000 0001 0000 0005 0001",
    "overlong": "03 00 ffff 00000001",
}


@fault(
    "sctp-malformed",
    "sends an SCTP chunk that is none, once the data channel is open",
    stage="channel",
    default="short-data",
    value_help=f"{', '.join(CHUNKS)}, or a chunk in hexadecimal digits",
)
class SctpMalformed(MediaFault):
    def __init__(self, value: FaultValue, rng: random.Random) -> None:
        super().__init__(value, rng)
        try:
            self._chunk = bytes.fromhex(CHUNKS.get(str(value), str(value)))
        except ValueError as error:
            raise UsageError(f"{value!r} is no chunk", f"give {', '.join(CHUNKS)}, or digits") from error

    def connected(self, call: CallControl) -> None:
        call.send_chunk(self._chunk)
