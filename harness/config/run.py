"""What a run is asked to do: made from options and environment, checked once, then only read."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from harness.config.settings import Settings, read_settings
from harness.config.target import DEFAULT_DIALECT, Target, check_dialect, check_url, is_loopback
from harness.config.timeouts import Timeouts
from harness.core.errors import HarnessError, UsageError
from harness.core.limits import check_limits
from harness.core.redaction import Redactor

Mode = Literal["embedded", "black-box", "grey-box"]

EMBEDDED_CONCURRENCY = 6
TARGET_CONCURRENCY = 2  # a target's upstream bills by the call, and may limit them
HIGHEST_SEED = 2**32


@dataclass(frozen=True)
class RunSettings:
    """One run. `target` is None in embedded mode until the embedded pair says where it is."""

    target: Target | None = None
    fake_openai: str = ""  # base URL of the fake's management, http://host:port
    fake_token: str = field(default="", repr=False)
    dialect: str = DEFAULT_DIALECT
    seed: int = 0
    concurrency: int = EMBEDDED_CONCURRENCY
    reports: Path = Path("reports/latest")
    strict: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    timeouts: Timeouts = field(default_factory=Timeouts)
    comfort_noise: bool = False  # between utterances; else digital silence
    embedded: bool = False  # the target is our own pair

    @property
    def mode(self) -> Mode:
        """Embedded without a target; grey box where the harness's fake stands behind the target."""
        if self.target is None or self.embedded:
            return "embedded"
        return "grey-box" if self.fake_openai else "black-box"

    @property
    def the_target(self) -> Target:
        """The target; raises HarnessError before the embedded pair has said where it is."""
        if self.target is None:
            raise HarnessError("there is no target yet", "start the embedded pair, or give --target URL")
        return self.target

    def redactor(self) -> Redactor:
        """Knows every secret of the run."""
        return self.target.redactor(self.fake_token) if self.target else Redactor([self.fake_token])

    def ice_addresses(self) -> list[str] | None:
        """Host addresses to gather on; None leaves the choice to aioice, which takes all but loopback.

        Loopback alone where both ends are known to be on this machine.
        """
        if self.mode == "embedded":
            return ["127.0.0.1"]
        fake_is_local = bool(self.fake_openai) and is_loopback(Target(self.fake_openai).host)
        return ["127.0.0.1"] if fake_is_local else None

    def with_pair(self, offer_url: str, fake: str) -> RunSettings:
        """These settings with the embedded pair as target and upstream."""
        return replace(
            self,
            target=Target(offer_url, dialect=self.dialect),
            fake_openai=fake,
            embedded=True,
        )


def run_settings(
    *,
    target: str | None = None,
    dialect: str | None = None,
    fake_openai: str | None = None,
    seed: int | None = None,
    concurrency: int | None = None,
    reports: Path = Path("reports/latest"),
    strict: bool = False,
    limits: Mapping[str, float] | None = None,
    environment: Settings | None = None,
) -> RunSettings:
    """Options over environment over defaults. Raises UsageError naming the one that cannot be used."""
    environment = environment or read_settings()
    address = target or environment.target
    if concurrency is not None and concurrency < 1:
        raise UsageError(f"--concurrency {concurrency} makes no call", "give 1 or more")
    if seed is not None and not 0 <= seed < HIGHEST_SEED:
        raise UsageError(f"--seed {seed} is out of range", f"give a number from 0 to {HIGHEST_SEED - 1}")
    if fake_openai and not address:
        raise UsageError("--fake-openai needs a --target", "the embedded relay brings its own fake")
    check_limits(limits or {})
    dialect = dialect or environment.dialect
    check_dialect(dialect)
    return RunSettings(
        target=load_target(address, dialect, environment) if address else None,
        fake_openai=_management(fake_openai) if fake_openai else "",
        fake_token=environment.fake_token.get_secret_value(),
        dialect=dialect,
        seed=random.SystemRandom().randrange(HIGHEST_SEED) if seed is None else seed,
        concurrency=concurrency or (TARGET_CONCURRENCY if address else EMBEDDED_CONCURRENCY),
        reports=reports,
        strict=strict,
        limits=dict(limits or {}),
        comfort_noise=environment.silence == "comfort",
    )


def load_target(address: str, dialect: str, environment: Settings) -> Target:
    """The target at a URL, with the credentials of the environment. Raises UsageError."""
    return Target(
        address,
        dialect=dialect,
        headers=tuple(environment.headers.items()),
        cookies=tuple(environment.cookies.items()),
        fields=environment.fields,
        bearer=environment.bearer if environment.bearer.get_secret_value() else None,
        origin=environment.origin,
    )


def _management(address: str) -> str:
    url = address if "://" in address else f"http://{address}"
    check_url(url, "--fake-openai")
    return url.rstrip("/")
