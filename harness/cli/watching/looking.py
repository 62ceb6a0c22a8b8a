"""One look at a relay: a smoke call, judged, in the few words that are kept of it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import msgspec

from harness.call import Scenario
from harness.call.conduct import CallRecord, Watch
from harness.call.context import CallContext
from harness.cli.examining import Examined, examine
from harness.config.run import RunSettings
from harness.core.clock import unix_time
from harness.core.errors import HarnessError
from harness.core.loopback import is_loopback
from harness.core.printable import printable
from harness.core.stages import STAGE_NAMES, stages
from harness.core.timeline import Timeline
from harness.report.explain import root_causes
from harness.requirements.bills import assumed_cost_usd, call_cost_usd
from harness.requirements.model import Outcome
from harness.run.engine import Planned, execute
from harness.run.model import Run, RunVerdict
from harness.run.smoke import smoke, smoke_requirements

# RFC 5737, RFC 3849: they belong to nobody. To connect a UDP socket sends nothing, and asks for a route.
NOBODY = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
NO_ROUTE = (
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.EADDRNOTAVAIL,
    errno.ENETDOWN,
    errno.EAFNOSUPPORT,
)
LONGEST = 600  # characters of what is kept in words


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found. `at`: seconds since 1970; `causes`: `signaling.answer-is-sdp: html-page`, sorted.

    `seconds`: how long each stage of the call took, by its name.
    """

    at: int
    verdict: RunVerdict
    causes: tuple[str, ...] = ()
    why: str = ""
    fix: str = ""
    cost_usd: float = 0.0
    seconds: dict[str, float] = {}


async def look(settings: RunSettings) -> tuple[Run, Examined | None]:
    """Make the call and judge it; with how the target turned out to be spoken to. Raises HarnessError."""
    found: list[Examined] = []

    async def place(context: CallContext, scenario: Scenario, *, call: str, watch: Watch) -> CallRecord:
        del call  # each dialect that is tried has a call, and a number, of its own
        found.append(await examine(context, scenario, watch=watch, on_refused=lambda _refused: None))
        return found[-1].record

    run = await execute(
        settings, [Planned(smoke, smoke_requirements())], lambda _happening: None, place=place
    )
    return run, found[-1] if found else None


def look_of(run: Run, *, has_network: Callable[[], bool]) -> Look:
    """What is kept of a run. Where this machine has no network, nothing is said of the relay."""
    if run.verdict is RunVerdict.UNREACHABLE:
        if not has_network():
            return broken("this machine has no network, so nothing is known of the relay")
        kind, _, detail = run.unreachable.partition(": ")
        return _look(RunVerdict.UNREACHABLE, (kind,), why=detail or kind)
    wanted = Outcome.FAILED if run.verdict is RunVerdict.VIOLATING else Outcome.INCONCLUSIVE
    found = [each.verdict for each in root_causes(run.verdicts) if each.verdict.outcome is wanted]
    causes = sorted({f"{v.id}: {v.cause}" for v in found}) if wanted is Outcome.FAILED else []
    shown = found[0] if found and run.verdict is not RunVerdict.CONFORMING else None
    return _look(
        run.verdict,
        tuple(causes),
        why=shown.explanation if shown else "",
        fix=shown.fix or "" if shown else "",
        cost_usd=sum(_cost(call.timeline) for call in run.calls),
        seconds=_seconds(run),
    )


def broken(why: str) -> Look:
    """A look that came to nothing through no fault of the relay's."""
    return _look(RunVerdict.INCONCLUSIVE, why=why)


def in_words(error: Exception) -> str:
    """Why a look broke, without a traceback."""
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


def network_of(host: str) -> Callable[[], bool]:
    """Whether this machine has a way out to that host, as far as it knows itself; nothing is sent."""

    def has_network() -> bool:
        return is_loopback(host) or any(_has_route(family, address) for family, address in NOBODY)

    return has_network


def _has_route(family: socket.AddressFamily, address: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((address, 9))
    except OSError as error:
        return error.errno not in NO_ROUTE
    return True


def _look(
    verdict: RunVerdict,
    causes: tuple[str, ...] = (),
    *,
    why: str,
    fix: str = "",
    cost_usd: float = 0.0,
    seconds: dict[str, float] | None = None,
) -> Look:
    return Look(
        at=unix_time(),
        verdict=verdict,
        causes=tuple(printable(cause)[:LONGEST] for cause in causes),
        why=printable(why)[:LONGEST],
        fix=printable(fix)[:LONGEST],
        cost_usd=cost_usd,
        seconds=seconds or {},
    )


def _cost(timeline: Timeline) -> float:
    known = call_cost_usd(timeline)
    return assumed_cost_usd(timeline) if known is None else known


def _seconds(run: Run) -> dict[str, float]:
    took = {s.name: s.seconds for call in run.calls for s in stages(call.timeline) if s.seconds is not None}
    return {name: took[name] for name in STAGE_NAMES if name in took}
