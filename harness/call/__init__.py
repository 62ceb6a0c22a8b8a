"""One planned conversation, made for real, becomes one timeline."""

from harness.call.caller import Caller, PlanStopped
from harness.call.scenario import Scenario, scenario

__all__ = ["Caller", "PlanStopped", "Scenario", "scenario"]
