"""The catalogue: one pure function over a timeline for each rule a relay must keep.

Importing the package declares every requirement, in the order of a call: the first that fails is the root.
"""

from importlib import import_module

from harness.requirements.judging import judge
from harness.requirements.model import (
    Alternative,
    Because,
    Cause,
    Evidence,
    Inconclusive,
    Level,
    NotApplicable,
    Observation,
    Outcome,
    Requirement,
    Severity,
    Source,
    Verdict,
    Violation,
)
from harness.requirements.registry import REGISTRY, Registry, requirement

AREAS = (
    "token",
    "page",
    "signaling",
    "connectivity",
    "websocket",
    "gateway",
    "whip",
    "session",
    "turns",
    "audio",
    "lifecycle",
    "security",
    "cost",
)

for _area in AREAS:
    import_module(f"harness.requirements.{_area}")

__all__ = [
    "AREAS",
    "REGISTRY",
    "Alternative",
    "Because",
    "Cause",
    "Evidence",
    "Inconclusive",
    "Level",
    "NotApplicable",
    "Observation",
    "Outcome",
    "Registry",
    "Requirement",
    "Severity",
    "Source",
    "Verdict",
    "Violation",
    "judge",
    "requirement",
]
