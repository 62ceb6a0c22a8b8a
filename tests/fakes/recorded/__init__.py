"""What api.openai.com was recorded to send, and where the fake differs from it: see `Watch`."""

from tests.fakes.recorded.explained import EXPLAINED, Explained, explanation
from tests.fakes.recorded.orders import PRECEDES, OrderWatch
from tests.fakes.recorded.shapes import differences, kind_of

__all__ = [
    "EXPLAINED",
    "PRECEDES",
    "Explained",
    "OrderWatch",
    "differences",
    "explanation",
    "kind_of",
]
