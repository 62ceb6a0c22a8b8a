"""What arrivals come to as metrics, served while they go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.load.analysis.health import Health
from harness.load.analysis.metrics import Durations, LoadNow
from harness.load.analysis.rows import SDP_POST
from harness.report.prometheus import CONTENT_TYPE, exposition


@dataclass
class Exposed:
    """Counts every offer from the beginning on: those of the cold start and of settling too."""

    milliseconds: Counter[int] = field(default_factory=Counter)
    total: float = 0.0  # seconds
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)

    def answered(self, seconds: float) -> None:
        """An offer was accepted, so long after it was due."""
        self.milliseconds[round(1000 * seconds)] += 1
        self.total += seconds

    def failed(self, failure: str) -> None:
        """An offer was not answered as it should be."""
        self.failures[SDP_POST, failure] += 1

    def app(self, waiting: Callable[[], int], health: Callable[[], Health]) -> Starlette:
        """Reads only, whatever is asked."""

        async def metrics(_request: Request) -> Response:
            stages = {SDP_POST: Durations(self.milliseconds, self.total)}
            now = LoadNow(stages, self.failures, waiting(), health())
            return Response(exposition(now.metrics()), media_type=CONTENT_TYPE)

        return Starlette(routes=[Route("/metrics", metrics)])
