"""What a run is asked to do: made from options and environment, checked once, then only read."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from harness.config.callers import caller_for
from harness.config.ice import IceConfiguration, check_policy
from harness.config.ice_options import or_environment, with_ice
from harness.config.offers import check_offer_shape
from harness.config.options import HIGHEST_SEED
from harness.config.page import PageOptions
from harness.config.settings import Settings, read_settings
from harness.config.target import Auth, Target, check_origin, check_url
from harness.config.targets import NamedTarget, load_named_target
from harness.config.targets_file import is_name
from harness.config.telemetry import check_collector
from harness.config.timeouts import Timeouts
from harness.core.callers import CALLERS, DEFAULT_CALLER
from harness.core.dialects import DEFAULT_DIALECT, OWN, check_dialect
from harness.core.errors import HarnessError, UsageError
from harness.core.limits import check_limits
from harness.core.loopback import is_loopback
from harness.core.prices import Price
from harness.core.redaction import Redactor

Mode = Literal["embedded", "black-box", "grey-box"]

EMBEDDED_CONCURRENCY = 6
TARGET_CONCURRENCY = 2  # a target's upstream bills by the call, and may limit them


@dataclass(frozen=True)
class RunSettings:
    """One run. `target` is None in embedded mode until the embedded pair says where it is."""

    target: Target | None = None
    fake_openai: str = ""  # base URL of the fake's management, http://host:port
    fake_token: str = field(default="", repr=False)
    dialect: str = DEFAULT_DIALECT
    dialect_given: bool = False  # and not merely the default
    origin: str = ""  # of the embedded relay's page; a target has its own
    bearer: SecretStr | None = None  # likewise
    seed: int = 0
    concurrency: int = EMBEDDED_CONCURRENCY
    reports: Path = Path("reports/latest")
    strict: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)  # the target's own, by model
    timeouts: Timeouts = field(default_factory=Timeouts)
    impairment: str = ""  # of every call's network, from its beginning: a preset's name
    offer: str = ""  # the shape of every offer (`harness.core.offer_shapes`); else all in turn
    find_line: bool = False  # search for the line of a refused offer, though each one accepted is billed
    caller: str = DEFAULT_CALLER  # who makes the calls (`harness.core.callers`)
    page: PageOptions = field(
        default_factory=PageOptions
    )  # how a web page is used, where one makes the calls
    telemetry: bool = False  # each call is sent as a trace, which its requests name
    comfort_noise: bool = False  # between utterances; else digital silence
    embedded: bool = False  # the target is our own pair
    ice: IceConfiguration = field(
        default_factory=IceConfiguration
    )  # the embedded pair's; a target has its own

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
        fake_is_local = bool(self.fake_openai) and is_loopback(Target(self.fake_openai).host)
        if self.mode != "embedded" and not fake_is_local:
            return None
        # From a loopback address no server elsewhere can be asked.
        servers = self.target.ice_servers if self.target else self.ice.servers
        hosts = [url.host for server in servers for url in server.parsed()]
        return ["127.0.0.1"] if all(map(is_loopback, hosts)) else None

    def with_pair(self, offer_url: str, fake: str) -> RunSettings:
        """These settings with the embedded pair as target and upstream."""
        return replace(
            self,
            target=with_ice(
                Target(
                    self.reached_by(offer_url), dialect=self.dialect, origin=self.origin, bearer=self.bearer
                ),
                self.ice,
            ),
            fake_openai=fake,
            embedded=True,
        )

    @property
    def in_browser(self) -> bool:
        """Whether a browser makes the calls."""
        return CALLERS[self.caller].in_browser

    def reached_by(self, url: str) -> str:
        """The embedded relay's address for this kind of caller; it has one path for both."""
        return url if "http" in CALLERS[self.caller].schemes else "ws" + url.removeprefix("http")


def run_settings(
    *,
    target: str | None = None,
    config: Path | None = None,
    dialect: str | None = None,
    origin: str | None = None,
    auth: Auth | None = None,
    silent: bool = False,
    fake_openai: str | None = None,
    seed: int | None = None,
    concurrency: int | None = None,
    reports: Path = Path("reports/latest"),
    strict: bool = False,
    limits: Mapping[str, float] | None = None,
    impairment: str = "",
    offer: str | None = None,
    find_line: bool = False,
    caller: str | None = None,
    page: PageOptions | None = None,
    ice: IceConfiguration | None = None,
    environment: Settings | None = None,
    **plain: Any,
) -> RunSettings:
    """Options over the named target's own entry over environment over defaults.

    `target` is a URL, or a name in harness.toml; `plain` are fields of the settings that are nobody else's.
    Raises UsageError naming what cannot be used.
    """
    environment = environment or read_settings()
    address = target or environment.target
    if concurrency is not None and concurrency < 1:
        raise UsageError(f"--concurrency {concurrency} would make no call", "give 1 or more")
    if seed is not None and not 0 <= seed < HIGHEST_SEED:
        raise UsageError(f"--seed {seed} is out of range", f"give a number from 0 to {HIGHEST_SEED - 1}")
    for option, value in (("--fake-openai", fake_openai), ("--auth", auth), ("--silent", silent)):
        if value and not address:
            raise UsageError(f"{option} needs a --target", "the embedded relay brings its own")
    check_limits(limits or {})
    if plain.get("telemetry"):
        check_collector()
    named = load_named_target(address, config or environment.config) if is_name(address) else None
    dialect = dialect or (named.target.dialect if named and named.dialect_given else environment.dialect)
    if dialect != OWN or not (named and named.target.own_dialect):
        check_dialect(dialect or DEFAULT_DIALECT)
    check_origin(origin or environment.origin)
    offer = offer or (named.offer if named else "") or environment.offer
    if offer:
        check_offer_shape(offer)
    fake = fake_openai or (named.fake_openai if named else "")
    usual = TARGET_CONCURRENCY if address else EMBEDDED_CONCURRENCY
    ice = or_environment(ice or IceConfiguration(), named.target if named else None, environment)
    if not address:
        check_policy(ice.servers, ice.servers_from, relay_only=ice.policy == "relay")
    return RunSettings(
        target=with_ice(
            _target(address, named, environment, dialect=dialect, origin=origin, auth=auth, silent=silent),
            ice,
        )
        if address
        else None,
        fake_openai=management(fake) if fake else "",
        fake_token=environment.fake_token.get_secret_value(),
        dialect=dialect or DEFAULT_DIALECT,
        dialect_given=bool(dialect),
        origin=origin or environment.origin,
        bearer=environment.bearer if environment.bearer.get_secret_value() else None,
        seed=random.SystemRandom().randrange(HIGHEST_SEED) if seed is None else seed,
        concurrency=concurrency or (named.concurrency if named else None) or usual,
        reports=reports,
        strict=strict,
        limits={**(named.limits if named else {}), **(limits or {})},
        prices=named.prices if named else {},
        impairment=impairment,
        offer=offer,
        find_line=find_line or environment.find_line,
        caller=caller_for(
            caller or (named.caller if named else "") or environment.caller,
            named.target.url if named else address,
            impairment=impairment,
            offer=offer,
        ),
        page=(page or PageOptions()).over(named.page if named else None),
        comfort_noise=environment.silence == "comfort",
        ice=ice,
        **plain,
    )


def _target(address: str, named: NamedTarget | None, environment: Settings, **options: Any) -> Target:
    """The named target, or the one at the URL; what it does not say of itself is from the environment."""
    base = named.target if named else Target(address)
    said: dict[str, Any] = {
        "bearer": base.bearer or (environment.bearer if environment.bearer.get_secret_value() else None),
        "headers": base.headers or tuple(environment.headers.items()),
        "cookies": base.cookies or tuple(environment.cookies.items()),
        "fields": base.fields or environment.fields,
        "origin": base.origin or environment.origin,
    }
    return replace(base, **said | {name: value for name, value in options.items() if value})


def management(address: str) -> str:
    """The base URL of the fake's management at HOST:PORT, or at a URL. Raises UsageError."""
    url = address if "://" in address else f"http://{address}"
    check_url(url, "--fake-openai")
    return url.rstrip("/")
