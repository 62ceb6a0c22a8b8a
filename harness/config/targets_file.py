"""What `harness.toml` may say about a target. Secrets never stand in it: it names environment variables."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from harness.config.hooks import HOOK_SECONDS, SETTLE_SECONDS
from harness.config.offers import check_offer_shape
from harness.config.target import check_origin, check_url
from harness.core.dialects import check_dialect, dialect_named
from harness.core.errors import UsageError
from harness.core.events import UsageUnit
from harness.core.limits import check_limits

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


Variable = Annotated[str, _kept(_check_variable)]
Url = Annotated[str, _kept(lambda url: check_url(url, "the target"))]
HookUrl = Annotated[str, _kept(_check_hook_url)]
LimitName = Annotated[str, _kept(lambda name: check_limits([name]))]
JsonPath = Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$")]
AnyPath = Annotated[str, Field(pattern=r"^$|^\.$|^[^.]+(\.[^.]+)*$")]
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


def _kind_of_dialect(value: object) -> str:
    return "[table]" if isinstance(value, dict | DialectTable) else "[name]"


# In brackets, so that no message takes the tags for keys of the file.
DialectEntry = Annotated[
    Annotated[str, _kept(check_dialect), Tag("[name]")] | Annotated[DialectTable, Tag("[table]")],
    Discriminator(_kind_of_dialect),
]


class TargetTable(_Table):
    """One target: `[targets.NAME]`."""

    url: Url
    dialect: DialectEntry | None = None
    origin: Annotated[str, _kept(check_origin)] = ""
    offer: Annotated[str, _kept(check_offer_shape)] | None = None
    auth: Literal["required", "open"] | None = None
    silent: bool = False
    bearer_env: Variable | None = None
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
    before_call: BeforeCallTable | None = None
    usage: UsageTable | None = None
    token: TokenTable | None = None
    caller_chooses: dict[str, Annotated[Any, _kept(_check_bound)]] = Field(default_factory=dict)


class TargetsFile(_Table):
    """The whole file."""

    targets: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], TargetTable]


def is_name(address: str) -> bool:
    """Whether `--target` names a target rather than giving its URL."""
    return re.fullmatch(r"[A-Za-z0-9_-]+", address) is not None


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs are of one scheme, host and port: whether credentials for one may go to the other."""

    def origin(url: str) -> tuple[str, str | None, int | None]:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)

    return origin(one) == origin(other)
