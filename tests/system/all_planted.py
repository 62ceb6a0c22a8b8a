"""Every planted fault, in the order of a call."""

from __future__ import annotations

from tests.system import (
    planted_connecting,
    planted_conversing,
    planted_ice,
    planted_offers,
    planted_signaling,
    planted_usage,
    planted_websocket,
)

PLANTED = [
    *planted_ice.PLANTED,
    *planted_offers.PLANTED,
    *planted_signaling.PLANTED,
    *planted_connecting.PLANTED,
    *planted_conversing.PLANTED,
    *planted_websocket.PLANTED,
    *planted_usage.PLANTED,
]
