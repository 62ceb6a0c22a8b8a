"""What `harness.toml` may say about a target. Secrets never stand in it: it names environment variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from harness.config.callers import check_caller
from harness.config.hooks import HOOK_SECONDS, SETTLE_SECONDS
from harness.config.offers import check_offer_shape
from harness.config.target import TARGET_SCHEMES, check_origin, check_url
from harness.core.callers import CALLERS
from harness.core.dialects import DIALECTS, check_dialect, dialect_named
from harness.core.errors import UsageError
from harness.core.events import UsageUnit
from harness.core.limits import LIMITS, check_limits
from harness.core.nearest import meant
from harness.core.offer_shapes import OFFER_SHAPES
from harness.core.prices import PRICES, Price, price_of

T = TypeVar("T")


def _kept(check: Callable[[T], object]) -> AfterValidator:
    """A check that raises UsageError, as pydantic wants it: so that the error gets its place in the file."""

    def checked(value: T) -> T:
        try:
            check(value)
        except UsageError as error:
            raise PydanticCustomError(
                "usage", "{message}", {"message": error.message, "remedy": error.remedy}
            ) from None
        return value

    return AfterValidator(checked)


def _one_of(names: Iterable[str]) -> WithJsonSchema:
    """What an editor offers, where a check of ours decides."""
    return WithJsonSchema({"type": "string", "enum": list(names)})


def _check_variable(name: str) -> None:
    # The value is not repeated: where it is no name, it may be the secret itself.
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise UsageError(
            "this is not the name of an environment variable",
            'give the name and not the value, in capitals: "STAGING_TOKEN"',
        )


def _check_hook_url(url: str) -> None:
    """A path on the target's own host will do."""
    if not url.startswith("/") or url.startswith("//"):
        check_url(url, "the hook's URL")


def _check_bound(bound: object) -> None:
    is_list = isinstance(bound, list) and bool(bound) and all(isinstance(each, str) for each in bound)
    is_length = isinstance(bound, int) and not isinstance(bound, bool) and bound >= 1
    if not (bound is True or is_list or is_length):
        raise UsageError(
            "this is no bound for what a caller may choose",
            'write ["marin", "cedar"] for one of these, 400 for so many characters, or true for anything',
        )


def _check_priced(model: str) -> None:
    if price_of(model) is None:
        raise UsageError(f"no price is known for {model!r}", meant(model, PRICES))


Variable = Annotated[str, _kept(_check_variable)]
Url = Annotated[str, _kept(lambda url: check_url(url, "the target", TARGET_SCHEMES))]
HookUrl = Annotated[str, _kept(_check_hook_url)]
LimitName = Annotated[str, _kept(lambda name: check_limits([name])), _one_of(LIMITS)]
DialectName = Annotated[str, _kept(check_dialect), _one_of(DIALECTS)]
Caller = Annotated[str, _kept(check_caller), _one_of(CALLERS)]
Offer = Annotated[str, _kept(check_offer_shape), _one_of(OFFER_SHAPES)]
JsonPath = Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$")]
AnyPath = Annotated[str, Field(pattern=r"^$|^\.$|^[^.]+(\.[^.]+)*$")]
KnownModel = Annotated[str, _kept(_check_priced), _one_of(PRICES)]
Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=120)]


class _Table(BaseModel):
    # Strict: a port in quotes or a number for a text is a slip that had better be said.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class IceServerTable(_Table):
    """One STUN or TURN server, as browsers take it, its credential by environment variable."""

    urls: str | list[str]
    username: str = ""
    username_env: Variable | None = None
    credential_env: Variable | None = None


class BeforeCallTable(_Table):
    """A request that is made before each call; see `harness.config.hooks.BeforeCall`."""

    url: HookUrl
    method: Literal["GET", "POST", "PUT"] = "POST"
    body: dict[str, Any] | None = None
    fields: dict[str, JsonPath] = Field(default_factory=dict)
    secret_fields: dict[str, JsonPath] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    secret_headers: dict[str, str] = Field(default_factory=dict)
    timeout_s: Seconds = HOOK_SECONDS


class UsageTable(_Table):
    """What the target has counted; see `harness.config.hooks.UsageEndpoint`."""

    url: HookUrl
    field: JsonPath = ""
    unit: UsageUnit = "usd"
    timeout_s: Seconds = HOOK_SECONDS
    settle_s: Seconds = SETTLE_SECONDS


class TokenTable(_Table):
    """An ephemeral key that is minted before each offer; see `harness.config.hooks.TokenMint`."""

    url: HookUrl | None = None
    method: Literal["GET", "POST", "PUT"] = "POST"
    body: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    value: AnyPath = ""
    offers_to: Annotated[str, _kept(lambda url: check_url(url, "where offers go"))] | None = None


class PageTable(_Table):
    """The web page that calls the target; see `harness.config.page.PageOptions`.

    `url`: whole, or a path on the target's own host; without one the target is the page. `storage_state`:
    from the file's folder on.
    """

    url: HookUrl | None = None
    start: str | list[str] = Field(default_factory=list)
    stop: str = ""
    language: str = ""
    storage_state: str = ""


class DialectTable(_Table):
    """How the target wraps offer and answer; see `harness.core.dialects.Dialect`.

    `like` names a built-in one, of which the rest changes what it says.
    """

    like: Annotated[str, _kept(dialect_named)] | None = None
    method: str | None = None
    content_type: str | None = None
    offer: str | None = None
    fields: dict[str, Any] | None = None
    query: dict[str, str] | None = None
    headers: dict[str, str] | None = None
    answer: str | None = None
    statuses: list[int] | None = None
    sessions: bool | None = None
    session_origins: list[Annotated[str, _kept(check_origin)]] | None = None


def _kind_of_dialect(value: object) -> str:
    return "[table]" if isinstance(value, dict | DialectTable) else "[name]"


# In brackets, so that no message takes the tags for keys of the file.
DialectEntry = Annotated[
    Annotated[DialectName, Tag("[name]")] | Annotated[DialectTable, Tag("[table]")],
    Discriminator(_kind_of_dialect),
]


class PriceTable(_Table):
    """USD per million tokens of each kind, and per hour of the session; see `harness.core.prices.Price`.

    `like` names a known model, whose price is taken where the table gives none.
    """

    like: KnownModel | None = None
    text_in: Usd = 0.0
    text_cached: Usd | None = None
    text_out: Usd = 0.0
    audio_in: Usd = 0.0
    audio_cached: Usd | None = None
    audio_out: Usd = 0.0
    image_in: Usd = 0.0
    image_cached: Usd | None = None
    per_hour: Usd = 0.0


class TargetTable(_Table):
    """One target: `[targets.NAME]`."""

    url: Url
    dialect: DialectEntry | None = None
    origin: Annotated[str, _kept(check_origin)] = ""
    offer: Offer | None = None
    caller: Caller | None = None
    auth: Literal["required", "open"] | None = None
    silent: bool = False
    passes_events: bool = True
    bearer_env: Variable | None = None
    subprotocols: list[str] = Field(default_factory=list)
    subprotocols_env: list[Variable] = Field(default_factory=list)
    headers: dict[str, str] = Field(default_factory=dict)
    headers_env: dict[str, Variable] = Field(default_factory=dict)
    cookies_env: dict[str, Variable] = Field(default_factory=dict)
    query_env: dict[str, Variable] = Field(default_factory=dict)
    fields: dict[str, Any] = Field(default_factory=dict)
    fields_env: dict[str, Variable] = Field(default_factory=dict)
    ice_servers: list[IceServerTable] = Field(default_factory=list)
    ice_servers_from: str = ""
    ice_transport_policy: Literal["all", "relay"] = "all"
    ice_ca: str = ""
    fake_openai: str | None = None
    concurrency: Annotated[int, Field(ge=1)] | None = None
    limits: dict[LimitName, float] = Field(default_factory=dict)
    prices: dict[str, PriceTable] = Field(default_factory=dict)
    before_call: BeforeCallTable | None = None
    usage: UsageTable | None = None
    token: TokenTable | None = None
    page: PageTable | None = None
    caller_chooses: dict[str, Annotated[Any, _kept(_check_bound)]] = Field(default_factory=dict)


class TargetsFile(_Table):
    """The whole file."""

    targets: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], TargetTable]


def own_prices(given: Mapping[str, PriceTable]) -> dict[str, Price]:
    """The prices by model."""
    found = {}
    for model, table in given.items():
        base = price_of(table.like or "") or Price()
        found[model] = msgspec.structs.replace(base, **table.model_dump(exclude_unset=True, exclude={"like"}))
    return found


def is_name(address: str) -> bool:
    """Whether `--target` names a target rather than giving its URL."""
    return re.fullmatch(r"[A-Za-z0-9_-]+", address) is not None


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs are of one scheme, host and port: whether credentials for one may go to the other."""

    def origin(url: str) -> tuple[str, str | None, int | None]:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)

    return origin(one) == origin(other)
