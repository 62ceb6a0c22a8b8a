"""`harness demo`: real calls through a healthy relay and five broken ones, each fault named and fixed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import click
import httpx

from harness.call import Caller, Scenario
from harness.cli.demo_cases import CASES, Case
from harness.cli.demo_showing import ShowDemo
from harness.cli.options import takes_options
from harness.cli.screen import console, say
from harness.config.option_texts import read_options
from harness.config.run import RunSettings, run_settings
from harness.config.settings import Settings
from harness.config.timeouts import Timeouts
from harness.core.clock import MonotonicClock
from harness.core.errors import HarnessError
from harness.core.events import CallEnded, CallWithheld, HarnessFailed
from harness.core.exit_codes import CONFORMING, INCONCLUSIVE
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.platform.loop import run_loop
from harness.requirements.model import Outcome, Verdict
from harness.requirements.registry import REGISTRY
from harness.run.engine import Planned, execute
from harness.run.stream import CallFinished, Happening, Judged

BLAMED = (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)
# Six calls begin at once on whatever machine this is, so how fast they are is not the point here.
LIMITS = {
    "answer_s": 10.0,
    "channel_s": 10.0,
    "latency_ms": 20_000.0,
    "jitter_ms": 500.0,
    "gap_ms": 2000.0,
    "release_s": 3.0,
    "stalled_s": 30.0,  # what is planted shows however long this machine stands still
}
# So that what never comes is not waited for at length; each wait is longer than its limit.
TIMEOUTS = Timeouts(turn=8.0, hang_up=4.0)


@dataclass(frozen=True)
class CaseShown:
    """A case whose call was made: what was found wrong, and how many seconds the call took."""

    case: Case
    found: tuple[Verdict, ...]
    seconds: float

    @property
    def is_right(self) -> bool:
        """The planted fault was named, and nothing else blamed."""
        return [f"{v.id}: {v.cause}" for v in self.found] == [f for f in (self.case.finds,) if f]

    def as_result(self) -> dict[str, Any]:
        """As JSON."""
        planted = {"relay": self.case.relay, "upstream": self.case.upstream}
        return {
            "relay": self.case.name,
            "in_the_field": self.case.in_the_field,
            "planted": {party: fault for party, fault in planted.items() if fault},
            "expected": self.case.finds or None,
            "found": [verdict.as_result() for verdict in self.found],
            "named_as_planted": self.is_right,
        }


@click.command()
@takes_options("demo")
def demo(**texts: Any) -> int:
    """Call a healthy relay and five broken ones, and name what is wrong with each: no key, no network.

    Exit status: 0 every fault was named as planted and nothing else blamed; 4 not so.
    """
    values = read_options("demo", texts)
    as_json = values["as_json"]
    # The demonstration is of the harness: what the environment says of a target has no part in it.
    settings = run_settings(seed=values["seed"], limits=LIMITS, environment=Settings.model_construct())
    settings = replace(settings, timeouts=TIMEOUTS)
    clock = MonotonicClock()
    begun = clock.now()
    show = ShowDemo(console(), quiet=as_json)
    with show:
        shown = run_loop(_show(settings, lambda each: show.made(each.case, each.found, each.seconds)))
    if as_json:
        say(json.dumps([each.as_result() for each in shown], indent=1, ensure_ascii=False))
    else:
        show.conclude([each.case for each in shown if not each.is_right], clock.now() - begun)
    return CONFORMING if all(each.is_right for each in shown) else INCONCLUSIVE


async def _show(settings: RunSettings, on_shown: Callable[[CaseShown], None]) -> list[CaseShown]:
    """All calls side by side, each with the faults of its case."""
    cases = {_slug(case): case for case in CASES}
    blamed: dict[str, list[Verdict]] = {}
    shown: dict[str, CaseShown] = {}

    def observe(happening: Happening) -> None:
        match happening:
            case Judged(_, verdict) if verdict.outcome in BLAMED:
                blamed.setdefault(verdict.scenario, []).append(verdict)
            case CallFinished(record):
                name = record.scenario.name
                ended = record.timeline.last(CallEnded)
                found = tuple(blamed.get(name, ()))
                shown[name] = each = CaseShown(cases[name], found, ended.at if ended else 0.0)
                if not _broke(record.timeline):
                    on_shown(each)

    async with (
        EmbeddedPair(EmbeddedOptions(seed=settings.seed)) as pair,
        httpx.AsyncClient(trust_env=False) as management,
    ):
        settings = replace(settings.with_pair(pair.offer_url, pair.fake), concurrency=len(CASES))
        planned = [Planned(_scenario(case, pair, management), tuple(REGISTRY)) for case in CASES]
        await execute(settings, planned, observe, as_they_end=True, serving=pair)
        if pair.problem and not all(each.is_right for each in shown.values()):
            raise HarnessError(pair.problem)
    return [shown[name] for name in cases]


def _broke(timeline: Timeline) -> bool:
    return any(timeline.first(kind) is not None for kind in (HarnessFailed, CallWithheld))


def _scenario(case: Case, pair: EmbeddedPair, management: httpx.AsyncClient) -> Scenario:
    async def plan(caller: Caller) -> None:
        ufrag = caller.line.end.ufrag
        for faults, name in (
            (f"{pair.relay}/_relay/faults", case.relay),
            (f"{pair.fake}/_fake/faults", case.upstream),
        ):
            if name:
                await _plant(management, faults, {"name": name, "ufrag": ufrag})
        await case.conversation(caller)

    return Scenario(_slug(case), case.name, plan, ())


async def _plant(management: httpx.AsyncClient, faults: str, planned: dict[str, str]) -> None:
    try:
        response = await management.post(faults, json=[planned])
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise HarnessError(f"the fault {planned['name']} could not be planted: {error}") from error


def _slug(case: Case) -> str:
    return case.name.replace(" ", "-")
