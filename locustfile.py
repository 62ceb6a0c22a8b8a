"""Load: `locust -f locustfile.py [--host URL]`; without a host the embedded pair. See docs/load.md."""

from harness.load import hooks
from harness.load.users import ChurnCaller, InterruptingCaller, ReconnectingCaller, SteadyCaller

__all__ = ["ChurnCaller", "InterruptingCaller", "ReconnectingCaller", "SteadyCaller", "hooks"]
