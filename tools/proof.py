"""What planted faults and faultless calls prove, in figures: `make proof` writes tools/proof.json.

Each part is made of real calls, side by side, that a seed repeats:

- faultless: every scenario in turn, with the product's own limits; any finding is a false alarm.
- pairs: two faults of different stages in one call; the earlier one must be the root.
- long: calls of ten minutes at a server that soon answers no check without USE-CANDIDATE; none may be lost.
- offers: as faultless, so often with each browser's offer.
- libwebrtc: as faultless, through a relay whose far end is libwebrtc; needs Node.
- browsers: our offers against those of Chromium and Firefox, line by line.
- pages: 50 ordinary calls of the reference page, in Chromium; any finding is a false alarm.
- soak: an hour of ten calls is steady, and a leak of about 1 MiB a minute in a relay is found.
- speech: where the fake's detector places speech that is injected, and how long replies take, for our own
  end and for Chromium.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness.config.timeouts import Timeouts
from harness.core.clock import wall_time
from harness.core.timeline import Timeline
from harness.requirements import REGISTRY, Outcome, judge
from tests.system import long_calls
from tests.system.all_planted import PLANTED
from tests.system.calling import make_planned_calls
from tests.system.faultless import (
    Part,
    alarms,
    every_scenario,
    false_alarms,
    faultless,
    make_faultless,
    undecided,
)
from tests.system.pairs import Pair, all_pairs, sample
from tests.system.planted import Faultless
from tools.proof_offers import prove_browsers, prove_libwebrtc, prove_offers
from tools.proof_pages import prove_pages, prove_speech
from tools.proof_soak import MINUTES, prove_soak

FIGURES = Path(__file__).with_name("proof.json")
FOUND = (Outcome.FAILED, Outcome.WARNED)


def too_busy(pair: Pair, timeline: Timeline) -> bool:
    """Whether our own machine was too slow to tell what the earlier fault did."""
    (verdict,) = judge([timeline], [REGISTRY.get(pair.first.requirement)])
    return verdict.outcome == Outcome.INCONCLUSIVE


def wrong_root(pair: Pair, timeline: Timeline) -> str:
    """Why the earlier fault is not the root of the call; empty where it is."""
    verdicts = judge([timeline], REGISTRY)
    found = [f"{v.id}: {v.cause}" for v in verdicts if v.outcome in FOUND]
    if not found or found[0] != pair.first.finds:
        return f"found {found}, and the first should be {pair.first.finds}"
    if not set(found) <= {pair.first.finds, pair.second.finds}:
        return f"found {found}, where only two faults were planted"
    broken = [v.explanation for v in verdicts if v.outcome == Outcome.ERROR]
    roots = {v.root for v in verdicts if v.outcome == Outcome.BLOCKED}
    allowed = {pair.first.requirement, pair.second.requirement if len(found) > 1 else None}
    return f"broken: {broken}" if broken else f"blocked by {roots - allowed}" if roots - allowed else ""


def prove_faultless(number: int, seed: int) -> Part:
    """False alarms in so many calls."""
    found = false_alarms(make_faultless(faultless(number), seed))
    return Part(found.figures | {"scenarios": len(every_scenario()), "seed": seed}, found.wrong)


def prove_pairs(number: int, seed: int) -> Part:
    """How often the earlier of two faults is the root."""
    pairs = sample(PLANTED, number, seed)
    made = list(zip(pairs, make_planned_calls(pairs, seed), strict=True))
    decided = [(pair, timeline) for pair, timeline in made if not too_busy(pair, timeline)]
    reasons = [(pair, wrong_root(pair, timeline)) for pair, timeline in decided]
    wrong = [f"{pair}: {reason}" for pair, reason in reasons if reason]
    figures = {
        "pairs": len(all_pairs(PLANTED)),
        "calls": len(made),
        "calls_with_an_inconclusive_verdict": len(made) - len(decided),
        "earlier_fault_is_the_root": len(decided) - len(wrong),
        "earlier_fault_is_not_the_root": len(wrong),
        "seed": seed,
    }
    return Part(figures, wrong)


def prove_long(_number: int, seed: int) -> Part:
    """How many calls of ten minutes are lost, or judged otherwise than as faultless."""
    plans = (long_calls.hardly_speaks, long_calls.speaks_every_two_minutes)
    timelines = make_planned_calls([Faultless(plan) for plan in plans], seed, limits={}, timeouts=Timeouts())
    raised = [(t, alarms(t)) for t in timelines]
    shortest = min(long_calls.connected_seconds(timeline) for timeline in timelines)
    wrong = [f"{v.id} {v.cause}: {v.explanation}" for _, found in raised for v in found]
    wrong += [f"a call lasted {shortest:.0f} s"] if shortest < long_calls.SECONDS else []
    figures = {
        "calls": len(timelines),
        "calls_with_a_false_alarm": sum(bool(found) for _, found in raised),
        "calls_with_an_inconclusive_verdict": sum(bool(undecided(t)) for t in timelines),
        "calls_lost": sum(long_calls.lost(timeline) for timeline in timelines),
        "seconds_of_the_shortest": round(shortest),
        "checks_answered_to_each": [long_calls.checks_answered(timeline) for timeline in timelines],
        "measured_on": wall_time()[:10],
        "seed": seed,
    }
    return Part(figures, wrong)


PARTS = {
    "faultless": prove_faultless,
    "pairs": prove_pairs,
    "long": prove_long,
    "offers": prove_offers,
    "libwebrtc": prove_libwebrtc,
    "browsers": prove_browsers,
    "pages": prove_pages,
    "speech": prove_speech,
    "soak": prove_soak,
}


@click.command()
@click.option("--part", "parts", type=click.Choice(list(PARTS)), multiple=True, help="default: all")
@click.option("--calls", default=100, show_default=True, help="how many calls for each part")
@click.option("--minutes", default=MINUTES, show_default=True, help="how long the soaks are")
@click.option("--seed", default=1, show_default=True)
def main(parts: Sequence[str], calls: int, minutes: int, seed: int) -> None:
    """Make the calls, write the figures, and fail where they prove something else."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    wrong: list[str] = []
    for name in parts or PARTS:
        part = PARTS[name](minutes if name == "soak" else calls, seed)
        figures[name] = part.figures | {"measured_on": wall_time()[:10]}
        click.echo(f"{name}: {part.figures}")
        wrong += part.wrong
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    for line in wrong:
        click.echo(line, err=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
