"""One planned conversation, made for real, becomes one timeline."""

from harness.call.caller import Caller
from harness.call.scenario import Scenario, scenario
from harness.call.stopping import PlanStopped

__all__ = ["Caller", "PlanStopped", "Scenario", "scenario"]
