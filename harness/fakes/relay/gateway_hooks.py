"""What a fault may change in a gateway."""

from __future__ import annotations

from harness.fakes.faults.registry import RELAY_FAULTS, Contract, FaultValue
from harness.fakes.relay.settings import RelaySettings


class GatewayFault:
    """One way for a gateway to misbehave, in one call. Delays are in seconds."""

    ends_with_caller = True  # closes its connection to OpenAI when the caller goes
    ends_with_upstream = True  # hangs up on the caller when OpenAI's side ends
    passes_events = True  # either way, over the data channel
    passes_voice = True  # the caller's, to OpenAI
    opens_upstream = True
    delay_up = 0.0
    delay_down = 0.0
    swallows = 0.0  # seconds of each reply, before the caller hears of it

    def __init__(self, value: FaultValue, settings: RelaySettings) -> None:
        self.value = value
        self.settings = settings


GATEWAY: Contract[type[GatewayFault]] = Contract(RELAY_FAULTS)
gateway_fault = GATEWAY.fault
