"""docs/ways.md, from a run: which ways into a relay are found, called and judged. `python -m tools.ways`.

For each shape of the field a strict reference relay is served. The doctor looks for the shape (seeing only
the caller's end), every scenario is called through it (with the fake's view), and faults are planted in it.
Each row is kept as it is done, in ways.json: a run that was cut short, or had a busy machine, goes on with
`--resume` where it was, and makes anew only the rows that lack something or could not be told in full.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

from harness.call import Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.cli.examining import examine
from harness.config.hooks import TokenMint
from harness.config.run import RunSettings, run_settings
from harness.config.target import Target
from harness.core.clock import MonotonicClock, wall_time
from harness.core.dialects import DIALECTS, FORM, OWN, PAGE_SESSION, Dialect
from harness.core.errors import HarnessError
from harness.core.events import CallStarted
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.fakes.relay.app import ReferenceRelay
from harness.fakes.relay.settings import SESSION_PATH, TOKEN_PATH, RelaySettings
from harness.fakes.serving import running
from harness.requirements import REGISTRY, Outcome, judge
from harness.run.engine import Planned, execute
from tests.system.conversations import connects
from tests.system.faultless import every_scenario
from tests.system.planted_signaling import PLANTED

FOUND = Path(__file__).with_name("ways.json")
TEMPLATE = Path(__file__).with_name("ways.md.in")
BAD = (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR)

# FIELD's shapes: what at least nine of forty relays need, and what OpenAI's own and its proxies speak.
SHAPES: Mapping[str, Dialect] = {
    "PUT": DIALECTS["put"],
    "PUT of SDP": DIALECTS["put-sdp"],
    "`sdpOffer`, answer `sdpAnswer`": DIALECTS["sdp-offer"],
    "`sdpOffer`, answer `answerSdp`": Dialect(OWN, offer="sdpOffer", answer="answerSdp"),
    "`offer` as a text, answer `answer`": DIALECTS["offer"],
    "`offer` as `{type, sdp}`": DIALECTS["offer-object"],
    "`sdp_offer`, answer `answer_sdp`": Dialect(OWN, offer="sdp_offer", answer="answer_sdp"),
    "answer `sdpResponse`": Dialect(OWN, answer="sdpResponse"),
    "answer deeper (`data.answer.sdp`)": Dialect(OWN, answer="data.answer.sdp"),
    "`?model=&voice=`": DIALECTS["sdp-query"],
    "a session of the caller's beside the offer": DIALECTS["json-session"],
    "multipart whose part `session` is required": DIALECTS["openai"],
    "multipart with `offer`": Dialect(OWN, content_type=FORM, offer="offer", answer="sdp"),
    "`PUT`, `rtc.sdpOffer`, a session, `result.0`": Dialect(
        OWN, method="PUT", offer="rtc.sdpOffer", fields={"session": PAGE_SESSION}, answer="result.sdp"
    ),
}  # fmt: skip
TOKEN = "a token relay"  # noqa: S105  (a name)
AZURE = "in front of Azure (`/openai/v1`, `api-key`)"
AZURE_TOKEN = "a token relay in front of Azure"  # noqa: S105  (a name)
ROWS = (*SHAPES, AZURE, TOKEN, AZURE_TOKEN)
BASES = {AZURE: "/openai/v1", AZURE_TOKEN: "/openai/v1"}
SIDE_BY_SIDE = 3  # shapes: their callers mostly wait
CALLS_AT_ONCE = 6  # of a shape
SAME = ("method", "content_type", "offer", "answer")

# Faults in what the relay makes of an offer, whatever its shape.
FAULTS = [
    planted
    for planted in PLANTED
    if planted.relay
    and planted.relay != "retiring-model"  # what it leads to depends on the day
    and planted.conversation is connects
    and not (
        planted.fake or planted.alone or planted.lasting or planted.target or planted.offer or planted.limits
    )
    and planted.requirement.startswith(
        ("signaling.offer-forwarded", "signaling.session-", "signaling.offer-reaches")
    )
]


async def measured(
    shapes: Sequence[str], tell: Callable[[str, Mapping[str, Any]], None], *, scenarios: Sequence[Scenario]
) -> dict[str, Any]:
    """What was found of each shape."""
    places, clock = asyncio.Semaphore(SIDE_BY_SIDE), MonotonicClock()

    async def one(name: str) -> dict[str, Any]:
        async with places:
            began = clock.now()
            base = BASES.get(name, "")
            try:
                if name in (TOKEN, AZURE_TOKEN):
                    found = await _token(pair, scenarios, base)
                else:
                    found = await _shape(pair, SHAPES.get(name, DIALECTS["json"]), scenarios, base)
            except HarnessError as error:  # this row's; what was found of it before stays as it is
                sys.stdout.write(f"{name}: could not be made, run again with --resume: {error}\n")
                return {"found": False, "wrong": [str(error)]}
            found |= {"date": wall_time()[:10], "seconds": round(clock.now() - began)}
        tell(name, found)
        return found

    with EmbeddedPair(EmbeddedOptions()) as pair:
        made = await asyncio.gather(*(one(name) for name in shapes))
    return dict(zip(shapes, made, strict=True))


async def _shape(
    pair: EmbeddedPair, dialect: Dialect, scenarios: Sequence[Scenario], path: str
) -> dict[str, Any]:
    async with running(ReferenceRelay(_relay(pair, dialect, path)).app) as base:
        url = f"{base}{SESSION_PATH}"
        finding = await _doctor(url, dialect)
        target = Target(url, dialect=OWN, own_dialect=replace(dialect, name=OWN))
        run = await _scenarios(_seeing(pair, target), scenarios)
    return {**finding, **run, **await _faults(pair, dialect, path)}


async def _token(pair: EmbeddedPair, scenarios: Sequence[Scenario], path: str) -> dict[str, Any]:
    async with running(ReferenceRelay(_relay(pair, DIALECTS["json"], path)).app) as base:
        url = f"{base}{TOKEN_PATH}"
        settings = run_settings(target=url, fake_openai=pair.fake, seed=1)
        async with CallContext.open(settings, EmbeddedPair.for_run) as context:
            examined = await examine(context, _PLAN, watch=lambda *_: None, on_refused=lambda _: None)
        told = {"found": examined.token is not None, "tries": len(examined.refused) + 1}
        offers_to = f"{pair.fake}{path}/realtime/calls" if path else ""
        target = Target(url, dialect="sdp", token=TokenMint(url, offers_to=offers_to))
        return {**told, **await _scenarios(_seeing(pair, target), scenarios)}


def _relay(pair: EmbeddedPair, dialect: Dialect, path: str, *faults: str) -> RelaySettings:
    return RelaySettings(f"{pair.fake}{path}", pair.options.api_key, dialect=dialect, faults=faults)


def _seeing(pair: EmbeddedPair, target: Target) -> RunSettings:
    settings = run_settings(target=target.url, fake_openai=pair.fake, seed=1, concurrency=CALLS_AT_ONCE)
    return replace(settings, target=target, dialect_given=True)


_PLAN = Scenario("connects", "Connects and hangs up", connects, ())


async def _doctor(url: str, dialect: Dialect) -> dict[str, Any]:
    settings = run_settings(target=url, seed=1)
    async with CallContext.open(settings, EmbeddedPair.for_run) as context:
        examined = await examine(context, _PLAN, watch=lambda *_: None, on_refused=lambda _: None)
    got = examined.dialect
    is_same = all(getattr(got, name) == getattr(dialect, name) for name in SAME)
    return {"found": is_same, "tries": len(examined.refused) + 1}


async def _scenarios(settings: RunSettings, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """Each once; those that a busy machine could not tell once more, one at a time."""
    planned = [Planned(s, tuple(REGISTRY.select(s.requirements, s.areas))) for s in scenarios]
    verdicts = (await execute(settings, planned, lambda _: None)).verdicts
    untold = {v.scenario for v in verdicts if v.outcome == Outcome.INCONCLUSIVE}
    if again := [p for p in planned if p.scenario.name in untold]:
        alone = replace(settings, concurrency=1)
        told = (await execute(alone, again, lambda _: None)).verdicts
        verdicts = (*(v for v in verdicts if v.scenario not in untold), *told)
    outcomes = Counter(v.outcome for v in verdicts)
    wrong = sorted({f"{v.id}: {v.cause}" for v in verdicts if v.outcome in BAD})
    return {
        "scenarios": len(planned),
        "passed": outcomes[Outcome.PASSED],
        "inconclusive": outcomes[Outcome.INCONCLUSIVE],
        "wrong": wrong,
    }


async def _faults(pair: EmbeddedPair, dialect: Dialect, path: str) -> dict[str, Any]:
    places = asyncio.Semaphore(4)

    async def named(fault: str, finds: str) -> str:
        async with places, running(ReferenceRelay(_relay(pair, dialect, path, fault)).app) as base:
            target = Target(f"{base}{SESSION_PATH}", dialect=OWN, own_dialect=replace(dialect, name=OWN))
            async with CallContext.open(_seeing(pair, target), EmbeddedPair.for_run) as context:
                record = await make_call(context, _PLAN, call=f"fault-{fault}")
        assert record.timeline.first(CallStarted) is not None
        found = [f"{v.id}: {v.cause}" for v in judge([record.timeline], REGISTRY) if v.outcome in BAD]
        return "" if found == [finds] else f"{fault}: {found}"

    async def named_in_time(fault: str, finds: str) -> str:
        """Once more where it was not: a time-out of a busy machine is no finding of ours."""
        return await named(fault, finds) and await named(fault, finds)

    wrong = [w for w in await asyncio.gather(*(named_in_time(p.relay, p.finds) for p in FAULTS)) if w]
    return {"faults": len(FAULTS), "faults_wrong": wrong}


def page(measured_then: Mapping[str, Any]) -> str:
    """The template with the matrix."""
    lines = ["| shape | the doctor finds it | scenarios | planted faults named |", "|---|---|---|---|"]
    for name, seen in measured_then["shapes"].items():
        tries = "at the first try" if seen["tries"] == 1 else f"after {seen['tries'] - 1} refused"
        found = f"yes, {tries}" if seen["found"] else "**no**"
        wrong = "; ".join(seen["wrong"])
        told = f"{seen['scenarios']}: " + (
            f"**{wrong}**" if wrong else f"{seen['passed']} verdicts passed, none failed"
        )
        told += f", {seen['inconclusive']} inconclusive" if seen["inconclusive"] else ""
        faults = (
            "below"
            if "faults" not in seen
            else f"{seen['faults'] - len(seen['faults_wrong'])} of {seen['faults']}"
        )
        lines.append(f"| {name} | {found} | {told} | {faults} |")
    rows = measured_then["shapes"].values()
    took = sum(row.get("seconds", 0) for row in rows) / SIDE_BY_SIDE / 60
    return TEMPLATE.read_text(encoding="utf-8").format(
        date=measured_then["date"],
        matrix="\n".join(lines),
        scenarios=" or ".join(map(str, sorted({row["scenarios"] for row in rows}))),
        took=f"{took:.0f} minutes" if took else "an unknown time",
    )


def is_whole(row: Mapping[str, Any], scenarios: int) -> bool:
    """Whether a row has all scenarios, each verdict of which could be told, and nothing wrong."""
    return (
        row.get("found") is True
        and row["scenarios"] == scenarios
        and not (row["inconclusive"] or row["wrong"] or row.get("faults_wrong"))
    )


def main() -> None:
    """Measure, write what was found, say what is wrong; exit 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", action="append", help="only these, beside what was found of the others")
    parser.add_argument("--scenario", action="append", help="only these (default: all)")
    parser.add_argument("--resume", action="store_true", help="keep the rows that are whole and told in full")
    options = parser.parse_args()
    scenarios = [s for s in every_scenario() if s.name in (options.scenario or [s.name])]
    shapes = options.shape or [*ROWS]
    keeps = (options.shape or options.resume) and FOUND.exists()
    kept: dict[str, Any] = json.loads(FOUND.read_text())["shapes"] if keeps else {}
    if options.resume:
        shapes = [name for name in shapes if not is_whole(kept.get(name, {}), len(scenarios))]

    def tell(name: str, found: Mapping[str, Any]) -> None:
        """As it comes, so that a run that is cut short has found something."""
        sys.stdout.write(f"{name}: {found}\n")
        sys.stdout.flush()
        kept[name] = found
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        document = {"date": today, "shapes": {n: kept[n] for n in ROWS if n in kept}}
        FOUND.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    found = uvloop.run(measured(shapes, tell, scenarios=scenarios))
    sys.exit(any(not s["found"] or s["wrong"] or s.get("faults_wrong") for s in found.values()))


if __name__ == "__main__":
    main()
