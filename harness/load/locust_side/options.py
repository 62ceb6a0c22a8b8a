"""Our options beside Locust's own, and what a run is told by them."""

from __future__ import annotations

import secrets
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from harness.config.offers import OFFER_HELP
from harness.config.run import HIGHEST_SEED, run_settings
from harness.core.errors import UsageError
from harness.load.analysis.slo import read_slo
from harness.load.messages import LoadSettings

DEFAULTS = LoadSettings()


def add_options(parser: Any) -> None:
    """Add them to Locust's parser; each has a variable too, as HARNESS_… has for everything."""

    def add(name: str, env: str, help_: str, **kwargs: Any) -> None:
        parser.add_argument(name, env_var=env, help=help_, **{"include_in_web_ui": False, **kwargs})

    add("--dialect", "HARNESS_DIALECT", "how the target wraps offer and answer (default: json)")
    add("--offer", "HARNESS_OFFER", f"{OFFER_HELP} (default: minimal)")
    add(
        "--fake-openai",
        "HARNESS_FAKE_OPENAI",
        "HOST:PORT of the harness's fake that the target's OpenAI base URL points at",
    )
    add("--seed", "HARNESS_SEED", "repeats the callers (default: a new one, printed)", type=int)
    add(
        "--turns",
        "HARNESS_TURNS",
        f"turns of a SteadyCaller's conversation (default: {DEFAULTS.turns})",
        type=int,
        default=DEFAULTS.turns,
        include_in_web_ui=True,
    )
    add(
        "--decode-share",
        "HARNESS_DECODE_SHARE",
        "part of the calls (0 to 1) that are examined in full, sound included; at least 4 side by side "
        f"(default: {DEFAULTS.decode_share})",
        type=float,
        default=DEFAULTS.decode_share,
    )
    add(
        "--call-every",
        "HARNESS_CALL_EVERY",
        "seconds between a ChurnCaller's calls on average, whether or not the last has ended (default: 15)",
        type=float,
        default=15.0,
        include_in_web_ui=True,
    )
    add("--calls", "HARNESS_CALLS", "end when so many calls have been made (default: no end)", type=int)
    add("--budget", "HARNESS_BUDGET", "USD that all calls together may cost (default: no limit)", type=float)
    add(
        "--slo",
        "HARNESS_SLO",
        'an objective that decides the exit code: "DC open p95 < 5s", "failures < 1%%"; may be repeated',
        action="append",
        default=[],
    )
    add(
        "--limit",
        "HARNESS_LIMIT",
        "NAME=VALUE: a number that calls are judged by; may be repeated",
        action="append",
        default=[],
    )
    add(
        "--reports",
        "HARNESS_REPORTS",
        f"where the evidence of failed calls goes (default: {DEFAULTS.reports})",
        default=DEFAULTS.reports,
    )


def load_settings(options: Namespace | None, host: str | None) -> LoadSettings:
    """What the call process is told. Raises UsageError for what no run can be made with."""
    if options is None:
        return checked(LoadSettings(host=host or ""))
    return checked(
        LoadSettings(
            host=host or "",
            dialect=options.dialect,
            offer=options.offer,
            fake_openai=options.fake_openai,
            seed=options.seed,
            decode_share=options.decode_share,
            turns=options.turns,
            reports=options.reports,
            limits=_limits(options),
        )
    )


def checked(settings: LoadSettings) -> LoadSettings:
    """The settings, where a run can be made with them. Raises UsageError."""
    run_settings(
        target=settings.host or None,
        dialect=settings.dialect,
        offer=settings.offer,
        fake_openai=settings.fake_openai,
        seed=settings.seed,
        limits=settings.limits,
    )
    if not 0 <= settings.decode_share <= 1:
        raise UsageError(
            f"--decode-share {settings.decode_share:g} is not between 0 and 1",
            "give a part of all calls, such as 0.1",
        )
    if settings.turns < 1:
        raise UsageError(f"--turns {settings.turns} would say nothing", "give 1 or more")
    return settings


def check_options(options: Namespace) -> None:
    """Raises UsageError for one that cannot be used; draws the seed where none was given."""
    if options.seed is None:
        options.seed = secrets.randbelow(HIGHEST_SEED)
    if options.call_every <= 0:
        raise UsageError(
            f"--call-every {options.call_every:g} is not a time between calls", "give seconds above 0"
        )
    if options.calls is not None and options.calls < 1:
        raise UsageError(f"--calls {options.calls} would make no call", "give 1 or more")
    if options.budget is not None and options.budget < 0:
        raise UsageError(f"--budget {options.budget:g} is not an amount to spend", "give USD, 0 or more")
    for text in options.slo:
        read_slo(text)
    load_settings(options, options.host)


def _limits(options: Namespace) -> Mapping[str, float]:
    limits = dict(read_limits(options.limit))
    # A worker has a share of the budget: the master divides it among them.
    budget = getattr(options, "budget_share", None) or options.budget
    return limits if budget is None else {**limits, "cost_per_run_usd": budget}


def read_limits(texts: Sequence[str]) -> Mapping[str, float]:
    """`NAME=VALUE` each. Raises UsageError; whether there is such a limit is checked with the others."""
    limits = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            limits[name.strip()] = float(value)
        except ValueError:
            raise UsageError(f"--limit {text!r} has no number", "write NAME=VALUE: answer_s=3") from None
    return limits
