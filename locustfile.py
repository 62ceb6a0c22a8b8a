"""Load: `locust -f locustfile.py [--host URL]`; without a host the embedded pair. See docs/load.md."""

from harness.load.locust_side import hooks
from harness.load.locust_side.users import (
    ChurnCaller,
    InterruptingCaller,
    OfferCaller,
    ReconnectingCaller,
    SteadyCaller,
)

__all__ = ["ChurnCaller", "InterruptingCaller", "OfferCaller", "ReconnectingCaller", "SteadyCaller", "hooks"]
