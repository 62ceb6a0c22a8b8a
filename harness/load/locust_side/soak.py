"""`harness soak`, in a process that belongs to Locust: `python -m harness.load.locust_side.soak`."""

from __future__ import annotations

import harness.run.quietly  # noqa: F401  (first: importing the rest takes a second)

# isort: split
import sys

import locust  # noqa: F401  (first: it patches what everybody else imports)

# isort: split
import gevent
import httpx
import psutil
from locust.shape import LoadTestShape

from harness.config.settings import read_settings
from harness.core.clock import wall_time
from harness.core.exit_codes import CONFORMING, INCONCLUSIVE, INTERRUPTED, VIOLATING
from harness.load.analysis.drift import MIB, Sample, SoakFindings, as_json, plot, values_of
from harness.load.analysis.slo import SloValue
from harness.load.asked import Asked
from harness.load.locust_side.climb import LEAST_PER_SECOND, RAMP_SECONDS
from harness.load.locust_side.options import checked_slos
from harness.load.locust_side.session import LoadSession
from harness.load.processes import listening_at, memory_of
from harness.load.program import LoadEnding, run_program
from harness.load.terminal import Progress

SAMPLES_WANTED = 60
SHORTEST_SAMPLE, LONGEST_SAMPLE = 1.0, 60.0  # s
TOLD = ("memory", "the target's memory", "calls live at the fake", "DC open", "first audio")
FAKE_SECONDS = 5.0  # for the fake to say how many calls it has


class HoldingShape(LoadTestShape):
    """The same number of callers for a while; takes a sample every so often."""

    def __init__(self, session: LoadSession, asked: Asked, progress: Progress) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Locust's has no annotations
        self._taken: list[tuple[float, dict[str, float | None], int | None]] = []
        self.began = session.clock.now()
        self._session = session
        self._calls: int = asked.values["calls"]
        self._seconds: int = asked.values["seconds"]
        self._progress = progress
        self._every = min(LONGEST_SAMPLE, max(SHORTEST_SAMPLE, self._seconds / SAMPLES_WANTED))
        self._sampled_at = self.began
        self._locust = psutil.Process()
        self._target = listening_at(session.ready.target) if session.ready else []

    def tick(self) -> tuple[int, float] | None:
        """(callers, callers a second), or None at the end."""
        now = self._session.clock.now()
        if now - self._sampled_at >= self._every:
            gevent.spawn(self._sample, self._sampled_at, now)
            self._sampled_at = now
        if now - self.began >= self._seconds or self._session.generator.broke:
            return None
        return self._calls, max(LEAST_PER_SECOND, self._calls / RAMP_SECONDS)

    def _sample(self, since: float, now: float) -> None:
        last, window = self._session.generator.last, self._session.recorder.window(since, now)
        held = memory_of(self._target)
        watched = {
            "memory": last.rss / MIB if last else None,
            "descriptors": last.descriptors if last else None,
            "tasks": last.tasks if last else None,
            "Locust's memory": self._locust.memory_info().rss / MIB,
            "the target's memory": held / MIB if held else None,
        }
        live = live_at_fake(self._session.ready.fake if self._session.ready else "")
        sample = Sample(now - self.began, values_of(window, watched, live), window)
        self._taken.append((now, watched, live))
        told = ", ".join(
            f"{name} {value:.0f}"
            for name, value in sample.values.items()
            if value is not None and name in TOLD
        )
        self._progress.line(f"  {sample.at:.0f} s: {window.calls} ended, {window.failed} failed; {told}")

    def samples(self) -> tuple[Sample, ...]:
        """What was seen, once all is told: a stage is told of at its turn's end, and counted where it ended.

        What ended after the last look is part of the last stretch.
        """
        taken = sorted(self._taken, key=lambda each: each[0])
        if not taken:
            return ()
        bounds = [self.began, *(now for now, _, _ in taken[:-1]), float("inf")]
        windows = self._session.recorder.windows(bounds)
        return tuple(
            Sample(now - self.began, values_of(window, watched, live), window)
            for (now, watched, live), window in zip(taken, windows, strict=True)
        )


def live_at_fake(base: str) -> int | None:
    """How many calls the fake has open; None where there is none, or it does not say."""
    if not base:
        return None
    token = read_settings().fake_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(f"{base}/_fake/health", timeout=FAKE_SECONDS, headers=headers, trust_env=False)
        return int(answer.raise_for_status().json()["live"])
    except (httpx.HTTPError, ValueError, KeyError):
        return None


def soak(asked: Asked, progress: Progress) -> SoakFindings:
    """Hold the calls, watch, and say what drifted. Raises HarnessError where nothing could be learned."""
    started_at, slos = wall_time(), checked_slos(asked.values["slos"])
    with LoadSession(asked) as session:
        failure = session.first_call()
        assert session.ready is not None  # noqa: S101  (the call was made)
        progress.line(f"target {session.ready.target} ({session.ready.dialect}, {session.ready.mode})")
        progress.line(f"seed {int(session.options.seed)}")
        shape = HoldingShape(session, asked, progress)
        if not failure and not session.interrupted:
            session.run(shape)
        whole = session.recorder.window(0.0)
        return SoakFindings(
            target=session.ready,
            seed=int(session.options.seed),
            started_at=started_at,
            calls=asked.values["calls"],
            seconds=session.clock.now() - shape.began,
            samples=shape.samples(),
            health=session.generator.health,
            failures=tuple((r, f, n) for (r, f), n in session.recorder.failures().most_common()),
            ended=whole.calls,
            failed=whole.failed,
            first_failure=failure,
            interrupted=session.interrupted,
            broke=session.broke,
            slos=tuple(SloValue.of(slo, whole) for slo in slos),
        )


def _run(asked: Asked, progress: Progress) -> LoadEnding:
    found = soak(asked, progress)
    code = {"steady": CONFORMING, "violating": VIOLATING}.get(found.verdict, INCONCLUSIVE)
    return LoadEnding(
        name="soak",
        sentence=found.sentence,
        code=INTERRUPTED if found.interrupted else code,
        document=as_json(found),
        plot=plot(found),
        reports=asked.values["reports"],
        repeat=asked.again(found.target.target, found.seed),
    )


if __name__ == "__main__":
    sys.exit(run_program("soak", _run, sys.argv[1:]))
