"""What a watch shows over HTTP: a page for people, metrics for Prometheus, and whether it is alive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from harness import __version__
from harness.cli.watching.memory import PAUSED, Memory, pace
from harness.core.clock import unix_time, written_time
from harness.report.html import as_watch_html
from harness.report.prometheus import CONTENT_TYPE, Metric, exposition
from harness.run.model import RunVerdict

STALE_AFTER = 3  # intervals without a look: whoever watches the watch should know
ON_PAGE = 50


@dataclass(frozen=True)
class WatchPages:
    """What is shown, and by which figures it is judged."""

    memory: Memory
    every: int
    budget: float | None
    now: Callable[[], int] = unix_time

    def app(self) -> Starlette:
        """Reads only, whatever is asked."""

        async def page(_request: Request) -> Response:
            return HTMLResponse(self.page(), headers={"Cache-Control": "no-store"})

        async def metrics(_request: Request) -> Response:
            return Response(exposition(self.metrics()), media_type=CONTENT_TYPE)

        async def health(_request: Request) -> Response:
            late = self.late()
            return PlainTextResponse(late or "ok\n", status_code=503 if late else 200)

        return Starlette(routes=[Route("/", page), Route("/metrics", metrics), Route("/health", health)])

    def late(self) -> str:
        """Why the watch itself seems to be stuck; empty where it does not."""
        age = self.age()
        if age is None or self.memory.paused or age < STALE_AFTER * self.every + 60:
            return ""
        return f"the last look is {age} s old\n"

    def age(self) -> int | None:
        """Seconds since the last look."""
        return None if self.memory.last is None else max(0, self.now() - self.memory.last.at)

    def metrics(self) -> Iterable[Metric]:
        """Under `harness_watch_`; the age is a figure of its own, so that an alert on it needs no clock."""
        memory, last, age = self.memory, self.memory.last, self.age()
        yield Metric(
            "harness_watch_info",
            "gauge",
            "what watches what",
            [({"target": memory.target, "version": __version__}, 1)],
        )
        words = [verdict.value for verdict in RunVerdict] + [PAUSED]
        yield Metric(
            "harness_watch_holds",
            "gauge",
            "1 for the verdict that holds",
            [({"verdict": w}, int(memory.holds.word == w)) for w in words],
        )
        yield Metric(
            "harness_watch_cause",
            "gauge",
            "1 for each cause that holds",
            [({"cause": c}, 1) for c in memory.holds.causes],
        )
        if last is not None and age is not None:
            yield Metric(
                "harness_watch_last_verdict",
                "gauge",
                "1 for the verdict of the last look",
                [({"verdict": w}, int(last.verdict == w)) for w in words if w != PAUSED],
            )
            yield Metric(
                "harness_watch_last_look_timestamp_seconds",
                "gauge",
                "when the last look was made",
                [({}, last.at)],
            )
            yield Metric("harness_watch_last_look_age_seconds", "gauge", "how long ago that is", [({}, age)])
            yield Metric(
                "harness_watch_stage_seconds",
                "gauge",
                "how long each stage of the last look took",
                [({"stage": n}, s) for n, s in last.seconds.items()],
            )
        yield Metric(
            "harness_watch_since_timestamp_seconds", "gauge", "since when it holds", [({}, memory.since)]
        )
        yield Metric(
            "harness_watch_looks_total",
            "counter",
            "looks by their verdict",
            [({"verdict": w}, memory.made.get(w, 0)) for w in words if w != PAUSED],
        )
        yield Metric("harness_watch_alerts_total", "counter", "alerts that arrived", [({}, memory.alerts)])
        yield Metric(
            "harness_watch_alerts_failed_total",
            "counter",
            "attempts to alert that failed",
            [({}, memory.undelivered)],
        )
        yield Metric(
            "harness_watch_spent_usd",
            "gauge",
            "what the looks of the last 24 hours cost",
            [({}, memory.spent(self.now()))],
        )
        if self.budget is not None:
            yield Metric("harness_watch_budget_usd", "gauge", "what they may cost", [({}, self.budget)])

    def page(self) -> str:
        """One page that opens without any other file, and comes anew by itself."""
        memory, age = self.memory, self.age()
        rows = [
            {
                "at": written_time(each.at),
                "verdict": each.verdict.value,
                "causes": "; ".join(each.causes) or each.why,
                "first_audio": each.seconds.get("first-audio"),
                "set_up": each.seconds.get("set-up"),
                "cost": each.cost_usd,
            }
            for each in reversed(memory.looks[-ON_PAGE:])
        ]
        return as_watch_html(
            target=memory.target,
            word=memory.holds.word,
            causes=memory.holds.causes,
            why=memory.paused or (memory.last.why if memory.last and not memory.holds.is_good else ""),
            fix=memory.last.fix if memory.last and not memory.holds.is_good else "",
            since=written_time(memory.since) if memory.since else "",
            age=age,
            late=self.late(),
            every=self.every,
            spent=memory.spent(self.now()),
            budget=self.budget,
            pace=pace(memory, self.every, self.budget),
            alerts=memory.alerts,
            undelivered=memory.undelivered,
            rows=rows,
        )
