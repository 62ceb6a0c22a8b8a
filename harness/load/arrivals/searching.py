"""A whole search for the rate of offers: what it needs is opened, used and closed here."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from harness.call.upstream import FakeUpstream
from harness.config.asking import settings_of
from harness.config.option import blaming
from harness.config.options import HIGHEST_SEED
from harness.config.run import RunSettings
from harness.core.clock import Clock, MonotonicClock, wall_time
from harness.core.errors import TargetUnreachableError, UsageError
from harness.core.offer_shapes import CHROMIUM
from harness.fakes.embedded import EmbeddedPair, options_for
from harness.fakes.serving import running
from harness.load.analysis.arrival_findings import ArrivalFindings
from harness.load.analysis.arrival_steps import ArrivalStep
from harness.load.analysis.rows import SDP_POST
from harness.load.analysis.search import Search
from harness.load.analysis.slo import FAILURES, Slo, read_slo, read_slos
from harness.load.arrivals.answers import NOT_ACCEPTED
from harness.load.arrivals.arriving import Arriving, calm_collector
from harness.load.arrivals.climbing import ArrivalPace, Climbing
from harness.load.arrivals.cold import ColdStart, start_cold
from harness.load.arrivals.metering import Metering
from harness.load.arrivals.offers import PREFIX, PreparedOffers
from harness.load.arrivals.releasing import FakeManagement, Releasing
from harness.load.arrivals.sampling import Sampling
from harness.load.arrivals.sending import new_http2_client, open_posting
from harness.load.arrivals.talking import Talking
from harness.load.arrivals.watching import Watching
from harness.load.messages import LoadSettings, Ready
from harness.load.terminal import Progress
from harness.platform.signals import INTERRUPTING, handled
from harness.signaling.hooks import filled
from harness.signaling.sending import new_client

START, STEP, MOST = 20, 1, 5000  # offers a second
CLOSE = 0.05  # the edge is known to this part of itself
USUAL = ("SDP POST p95 < 2s", "failures < 1%")
USUAL_OF_TALK = ("first audio p95 < 3s",)
TALK_FAILURES = read_slo("failures < 1%")
UNREACHABLE = "nobody listens"


@dataclass
class Found:
    """What has been learned so far: kept whatever ends the search."""

    ready: Ready = field(default_factory=lambda: Ready(target="", dialect="", mode=""))
    steps: list[ArrivalStep] = field(default_factory=list)
    cold: ColdStart | None = None
    beside: list[str] = field(default_factory=list)
    also: dict[str, Any] = field(default_factory=dict)
    violating: bool = False
    wrong: Counter[str] = field(default_factory=Counter)  # of samples, while the target kept up


async def find_rate(
    url: str, texts: Mapping[str, Any], values: Mapping[str, Any], progress: Progress
) -> ArrivalFindings:
    """Search for the rate. Raises HarnessError where nothing could be learned."""
    start, step, most = values["start"] or START, values["step"] or STEP, values["most"] or MOST
    if start > most:
        raise UsageError(f"--start {start} is beyond --most {most}", "begin with fewer offers a second")
    search = Search(start, step, most, share=CLOSE, doubling=values["step"] is None)
    seed = values["seed"] if values["seed"] is not None else secrets.randbelow(HIGHEST_SEED)
    settings = replace(settings_of("capacity", values, target=url or None), seed=seed)
    slos, slos_of_talk = _slos(values)
    found, started_at, interrupted = Found(), wall_time(), False
    searching = asyncio.create_task(
        _search(settings, texts, values, (slos, slos_of_talk), search, progress, found)
    )
    with _ending(searching):
        try:
            await searching
        except asyncio.CancelledError:
            interrupted = True
    return ArrivalFindings(
        target=found.ready,
        seed=seed,
        started_at=started_at,
        slos=(*slos, *slos_of_talk),
        steps=tuple(found.steps),
        holds=search.holds,
        breaks=search.breaks,
        most=most,
        at_least=values["at_least"],
        first_failure=found.cold.failure if found.cold else "",
        interrupted=interrupted,
        beside=tuple(found.beside),
        also=found.also,
        violating=found.violating,
    )


async def _search(
    settings: RunSettings,
    texts: Mapping[str, Any],
    values: Mapping[str, Any],
    slos: tuple[tuple[Slo, ...], tuple[Slo, ...]],
    search: Search,
    progress: Progress,
    found: Found,
) -> None:
    clock = MonotonicClock()
    async with AsyncExitStack() as stack:
        settings = await _with_ends(stack, settings, talking=bool(values["talking"]), progress=progress)
        client = await stack.enter_async_context(new_client(settings.the_target, settings.timeouts))
        target = await filled(settings.the_target, client)
        settings = replace(settings, target=target)
        mode = settings.mode
        found.ready = Ready(
            target=target.shown_url, dialect=target.dialect, mode=mode, fake=settings.fake_openai
        )
        progress.line(f"target {target.shown_url} ({target.dialect}, {mode})")
        progress.line(f"seed {settings.seed}")
        http = {"keep_alive": not values["new_connections"], "http2": values["http2"]}
        posting = await open_posting(stack, target, settings.timeouts, **http)
        fake = None
        if settings.fake_openai:
            fake = await stack.enter_async_context(
                FakeManagement.at(settings.fake_openai, settings.fake_token)
            )
        releasing = Releasing(target, posting, fake)
        rng = random.Random(settings.seed)  # noqa: S311  (replayable on purpose)
        shape = settings.offer or CHROMIUM
        if values["http2"]:  # the sample goes the way of the others
            client = await stack.enter_async_context(new_http2_client(target, settings.timeouts))
        sampling = Sampling(settings, client, releasing.accepted, values["decode_share"], shape)
        # Names are no choice to be repeated: a fake that saw the run before would take them for a cache's.
        names = random.SystemRandom().getrandbits(64)
        offers = PreparedOffers(shape, random.Random(names))  # noqa: S311  (nobody's secrets)
        arriving = Arriving(target, posting, offers, clock, releasing.accepted, sampling.take)
        stack.push_async_callback(arriving.end)
        await stack.enter_async_context(releasing.running())
        watching = Watching(target, posting, clock)
        metering = Metering(arriving, settings.limits, clock)
        if values["metrics"] is not None:
            host, port = values["metrics"]
            app = arriving.exposed.app(lambda: arriving.waiting, lambda: metering.health)
            url = await stack.enter_async_context(running(app, host=host, port=port))
            progress.line(f"metrics at {url}/metrics")
        before = await _counted(fake)
        begun = arriving.begun
        try:
            found.cold = await start_cold(arriving, values["idle_seconds"], values["burst_size"])
            if UNREACHABLE in found.cold.failure:
                raise TargetUnreachableError(
                    f"nothing answered at {target.shown_url}", "is the relay running, and is the URL right?"
                )
            if found.cold.failure:
                return
            progress.line(f"  cold start: {_cold_line(found.cold)}")
            sampling.active = True
            await stack.enter_async_context(watching.running())
            talking = await _talking(stack, texts, values, settings, clock)
            calm_collector()
            await stack.enter_async_context(_running(metering))
            await Climbing(
                arriving=arriving,
                watching=watching,
                metering=metering,
                releasing=releasing,
                talking=talking,
                pace=ArrivalPace(
                    values["spacing"],
                    values["burst_size"],
                    values["ramp_seconds"],
                    values["settle_seconds"],
                    values["step_seconds"],
                ),
                slos=slos[0],
                slos_of_talk=slos[1],
                rng=rng,
                clock=clock,
                on_step=lambda step: _told(step, found, sampling, progress),
                on_status=progress.status,
            ).climb(search)
        finally:
            await arriving.end()
            await releasing.settled()
            await _conclude(found, releasing, sampling, fake, before, arriving, begun)


async def _with_ends(
    stack: AsyncExitStack, settings: RunSettings, *, talking: bool, progress: Progress
) -> RunSettings:
    """With the embedded pair where there is no target, or with the fake where its address has none."""
    options = options_for(settings, vad="webrtc")
    # Beside calls that go on the fake needs its media; prepared offers are still only answered.
    options = replace(options, answers_only=not talking, answers_only_ufrags=PREFIX)
    if settings.target is None:
        pair = await stack.enter_async_context(EmbeddedPair(options))
        return settings.with_pair(pair.offer_url, pair.fake)
    if settings.target.is_websocket:
        raise UsageError("a WebSocket takes no offers", "leave --arrivals out")
    if settings.target.token is not None:
        raise UsageError(
            "the target hands out keys, and the offers go to OpenAI itself",
            "give --arrivals a target that takes offers",
        )
    if settings.fake_openai:
        upstream = FakeUpstream(settings.fake_openai, MonotonicClock(), token=settings.fake_token)
        stack.push_async_callback(upstream.close)
        if not await upstream.is_there():
            await stack.enter_async_context(EmbeddedPair(options))
            progress.line(f"nobody served the fake OpenAI at {upstream.base}: it is served for this run")
    return settings


async def _talking(
    stack: AsyncExitStack,
    texts: Mapping[str, Any],
    values: Mapping[str, Any],
    settings: RunSettings,
    clock: Clock,
) -> Talking | None:
    if not values["talking"]:
        return None
    own = {"dialect", "origin", "offer", "silent", "ice_server", "ice_servers_from", "ice_transport_policy"}
    said = {name: said for name, said in texts.items() if name in own | {"ice_ca", "config", "limits"}}
    if settings.fake_openai:
        said["fake_openai"] = settings.fake_openai.removeprefix("http://")
    asked = LoadSettings(
        host=settings.the_target.name or settings.the_target.url,
        texts={**said, "reports": str(settings.reports)},
        seed=settings.seed,
        decode_share=values["decode_share"],
        turns=values["turns"],
        limits=settings.limits,
    )
    talking = Talking(asked, values["talking"], clock)
    await stack.enter_async_context(talking.running())
    return talking


def _slos(values: Mapping[str, Any]) -> tuple[tuple[Slo, ...], tuple[Slo, ...]]:
    """Of the offers, and of those who talk. Raises UsageError for one of a conversation that nobody has."""
    usual = (*USUAL, *(USUAL_OF_TALK if values["talking"] else ()))
    with blaming("slo"):
        every = read_slos(values["slos"], usual)
        of_offers = tuple(slo for slo in every if slo.row in (SDP_POST, FAILURES))
        of_talk = tuple(slo for slo in every if slo not in of_offers)
        if of_talk and not values["talking"]:
            raise UsageError(
                f"{of_talk[0].text!r} is about a conversation, and nobody talks", "give --talking N with it"
            )
    return of_offers, (*of_talk, TALK_FAILURES) if values["talking"] else ()


def _told(step: ArrivalStep, found: Found, sampling: Sampling, progress: Progress) -> None:
    found.steps.append(step)
    if step.outcome == "held":  # what an overloaded target does wrong is no finding of its own
        found.wrong += +sampling.failures
    sampling.failures.clear()
    health = step.offers.health
    late = health.placing.percentile(99)
    progress.line(
        f"  {step.rate} offers a second: {step.outcome}  {step.figures()}  "
        f"(answered {step.seen.answered:.0f}; generator: {'-' if late is None else f'{late:g}'} ms late "
        f"at p99, {100 * health.cpu:.0f} % of a core)"
    )


def _cold_line(cold: ColdStart) -> str:
    def ms(value: float | None) -> str:
        return "no answer" if value is None else f"{value:.0f} ms"

    return f"first {ms(cold.first)}, warm {ms(cold.warm)}, slowest of {cold.size} at once {ms(cold.burst)}"


async def _conclude(
    found: Found,
    releasing: Releasing,
    sampling: Sampling,
    fake: FakeManagement | None,
    before: tuple[int, int, int] | None,
    arriving: Arriving,
    begun: int,
) -> None:
    """What is said beside the steps: of every offer, those of settling among them."""
    found.also |= {
        "cold_start": found.cold.as_json() if found.cold else None,
        "offers": arriving.begun - begun,
        "refused": {
            failure: count
            for (_, failure), count in arriving.exposed.failures.items()
            if failure.startswith(NOT_ACCEPTED)
        },
        "release": releasing.as_json(),
        "samples": {"judged": sampling.judged, "failures": dict(found.wrong)},
    }
    if found.cold is not None and not found.cold.failure and (said := str(found.cold)):
        found.beside.append(said)
    for failure, count in found.wrong.most_common():
        found.violating = True
        found.beside.append(f"of {sampling.judged} answers that were judged in full {count} failed {failure}")
    if said := str(releasing):
        found.beside.append(said)
    after = await _counted(fake)
    if before is None or after is None:
        return
    offers, names = after[0] - before[0], after[1] - before[1]
    found.also["fake"] = {"offers": offers, "distinct_ufrags": names, "live": after[2]}
    accepted = releasing.accepted_count
    if names < accepted:
        found.violating = True
        found.beside.append(
            f"{accepted} offers were accepted, and only {names} different ones reached the fake: some "
            "answers came from elsewhere, as from a cache"
        )


async def _counted(fake: FakeManagement | None) -> tuple[int, int, int] | None:
    if fake is None:
        return None
    try:
        return await fake.counted()
    except (httpx.HTTPError, ValueError, KeyError):
        return None


@contextlib.asynccontextmanager
async def _running(metering: Metering) -> AsyncIterator[None]:
    task = asyncio.create_task(metering.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.contextmanager
def _ending(task: asyncio.Task[None]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end the search, and what was learned is kept."""
    with handled(asyncio.get_running_loop(), INTERRUPTING, task.cancel):
        yield
