"""Faults of a gateway, which has a connection of its own at either side."""

from __future__ import annotations

from harness.fakes.faults.registry import FaultValue
from harness.fakes.relay.gateway_hooks import GatewayFault, gateway_fault
from harness.fakes.relay.settings import RelaySettings


@gateway_fault("gateway-upstream-leaked", "keeps its upstream when the caller has gone", stage="lifecycle")
class GatewayUpstreamLeaked(GatewayFault):
    ends_with_caller = False


@gateway_fault("gateway-caller-kept", "keeps the caller when its upstream has gone", stage="lifecycle")
class GatewayCallerKept(GatewayFault):
    ends_with_upstream = False


@gateway_fault("gateway-keeps-events", "passes sound alone: no event either way", stage="session")
class GatewayKeepsEvents(GatewayFault):
    passes_events = False


@gateway_fault(
    "gateway-without-upstream",
    "takes the caller in, opens nothing upstream, and says no word",
    stage="upstream",
)
class GatewayWithoutUpstream(GatewayKeepsEvents):
    opens_upstream = False


@gateway_fault("gateway-deaf", "keeps events, and the caller's voice, to itself", stage="upstream")
class GatewayDeaf(GatewayKeepsEvents):
    passes_voice = False


@gateway_fault(
    "gateway-delays",
    "holds audio back, both ways",
    stage="audio",
    default=0.4,
    value_help="seconds each way",
)
class GatewayDelays(GatewayFault):
    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        super().__init__(value, settings)
        self.delay_up = self.delay_down = float(value)


@gateway_fault(
    "gateway-opens-late",
    "opens its loudspeaker after a reply has begun",
    stage="audio",
    default=0.8,
    value_help="seconds of each reply that are not played",
)
class GatewayOpensLate(GatewayFault):
    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        super().__init__(value, settings)
        self.swallows = float(value)
