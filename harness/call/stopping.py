"""How a plan ends before its end."""

from __future__ import annotations


class PlanStopped(Exception):  # noqa: N818  (no error: the plan ends early, and the record says why)
    """A stage did not come about, so the rest of the plan makes no sense."""
