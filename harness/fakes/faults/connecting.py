"""The fake's transport gets stuck at one stage."""

from __future__ import annotations

import asyncio

from harness.fakes.faults.registry import fault
from harness.fakes.openai.hooks import CallFault, ConnectStage, Wire


@fault("ice-silent", "does not answer connectivity checks", stage="ice")
class IceSilent(CallFault):
    def gathered(self, wire: Wire) -> None:
        wire.leave_checks_unanswered()

    async def before(self, stage: ConnectStage) -> bool:
        return False


@fault("udp-blocked", "sits behind a firewall that lets no UDP through", stage="ice")
class UdpBlocked(CallFault):
    def gathered(self, wire: Wire) -> None:
        wire.block()


@fault(
    "ice-late",
    "is not to be reached at first",
    stage="ice",
    default=6.0,
    value_help="seconds without a datagram; the caller connects when it tries again",
)
class IceLate(CallFault):
    def gathered(self, wire: Wire) -> None:
        asyncio.get_running_loop().call_later(float(self.value), wire.block())


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
