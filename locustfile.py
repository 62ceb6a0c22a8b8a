"""Load: `locust -f locustfile.py [--host URL]`; without a host the embedded pair is the target."""

from harness.load.users import OneTurnCaller

__all__ = ["OneTurnCaller"]
