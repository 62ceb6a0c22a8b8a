"""Named targets: `--target staging` is looked up in harness.toml, its secrets in the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from pydantic import SecretStr, ValidationError

from harness.config.hooks import BeforeCall, TokenMint, UsageEndpoint
from harness.config.ice import IceServer
from harness.config.page import PageOptions
from harness.config.target import Target, check_header
from harness.config.targets_file import (
    BeforeCallTable,
    DialectTable,
    IceServerTable,
    PageTable,
    TargetsFile,
    TargetTable,
    TokenTable,
    UsageTable,
    own_prices,
)
from harness.config.targets_problems import FilePlace, first_problem
from harness.config.targets_secrets import secrets_in
from harness.config.toml_lines import KeyPath
from harness.core.dialects import DEFAULT_DIALECT, OWN, SDP, TEXT, Dialect, dialect_named
from harness.core.errors import UsageError
from harness.core.nearest import meant
from harness.core.prices import Price
from harness.core.redaction import SHORTEST_SECRET

FILE_NAME = "harness.toml"


@dataclass(frozen=True)
class NamedTarget:
    """What harness.toml says of one target: the target itself, and how a run treats it."""

    target: Target
    dialect_given: bool
    limits: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    fake_openai: str = ""
    concurrency: int | None = None
    offer: str = ""
    caller: str = ""
    page: PageOptions | None = None


def find_config(start: Path) -> Path | None:
    """The harness.toml of a folder or of the nearest one around it."""
    return next((f for folder in (start, *start.parents) if (f := folder / FILE_NAME).is_file()), None)


def load_named_target(
    name: str, config: Path | None = None, environment: Mapping[str, str] | None = None
) -> NamedTarget:
    """The target of that name in `config`, or in the harness.toml found from the working directory.

    `environment` holds the secrets; by default the process's own. Raises UsageError that points at the line.
    """
    path = config or find_config(Path.cwd())
    if path is None:
        raise UsageError(
            f"{name!r} is not a URL, and there is no {FILE_NAME} that could name it",
            f"give https://HOST/PATH, or describe the target in {FILE_NAME}: docs/targets.md shows how",
        )
    text = _read(path)
    data = _parsed(text, path)
    place = FilePlace(path, text)
    for secret, instead in secrets_in(data):
        raise UsageError(
            f"{place.of(secret)} looks like a secret, and secrets never stand in the file",
            f"put it into an environment variable and name that: {instead}",
        )
    try:
        entries = TargetsFile.model_validate(data).targets
    except ValidationError as error:
        raise first_problem(error, place) from None  # the cause quotes what may be a secret
    if name not in entries:
        raise UsageError(
            f"there is no target {name!r} in {path}",
            meant(name, entries) if entries else "it names none: add [targets.NAME]",
        )
    return _named(name, entries[name], place, os.environ if environment is None else environment)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "give another --config FILE") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no UTF-8 text", "TOML is always UTF-8; save it so") from error


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # tomllib says what and where, and quotes no value.
        raise UsageError(f"{path} is not TOML: {error}", "toml.io shows how it is written") from None


def _named(name: str, entry: TargetTable, place: FilePlace, environment: Mapping[str, str]) -> NamedTarget:
    at: KeyPath = ("targets", name)
    secrets = _Secrets(place, environment)

    def of_table(table: str, variables: Mapping[str, str], shortest: int = 1) -> dict[str, SecretStr]:
        return {
            key: secrets.read(variable, (*at, table, key), shortest) for key, variable in variables.items()
        }

    query = of_table("query_env", entry.query_env, SHORTEST_SECRET)
    bearer = secrets.read(entry.bearer_env, (*at, "bearer_env")) if entry.bearer_env else None
    own_subprotocols = [
        secrets.read(variable, (*at, "subprotocols_env", n), SHORTEST_SECRET)
        for n, variable in enumerate(entry.subprotocols_env)
    ]
    servers = enumerate(entry.ice_servers)
    headers = of_table("headers_env", entry.headers_env)
    fields = of_table("fields_env", entry.fields_env, SHORTEST_SECRET)
    own = None
    if isinstance(entry.dialect, DialectTable):
        own = _own_dialect(entry.dialect, place, (*at, "dialect"))
    try:
        target = Target(
            _with_query(entry.url, query),
            dialect=OWN if own else str(entry.dialect or ("sdp" if entry.token else DEFAULT_DIALECT)),
            own_dialect=own,
            headers=(*entry.headers.items(), *headers.items()),
            bearer=bearer,
            cookies=tuple(of_table("cookies_env", entry.cookies_env).items()),
            fields={**entry.fields, **fields},
            origin=entry.origin,
            ice_servers=tuple(_ice_server(s, secrets, (*at, "ice_servers", n)) for n, s in servers),
            relay_only=entry.ice_transport_policy == "relay",
            ice_servers_from=entry.ice_servers_from,
            ice_ca=place.path.parent / entry.ice_ca if entry.ice_ca else None,
            auth=entry.auth,
            silent=entry.silent,
            passes_events=entry.passes_events,
            before_call=_before_call(entry.before_call, entry.url) if entry.before_call else None,
            usage=_usage(entry.usage, entry.url) if entry.usage else None,
            token=_token(entry.token, _with_query(entry.url, query)) if entry.token else None,
            caller_chooses=tuple(
                (name, tuple(bound) if isinstance(bound, list) else bound)
                for name, bound in entry.caller_chooses.items()
            ),
            subprotocols=(*entry.subprotocols, *own_subprotocols),
            query_secrets=tuple(query.values()),
            name=name,
        )
    except UsageError as error:
        if error.message.startswith(str(place.path)):
            raise
        raise UsageError(f"{place.of(at)}: {error.message}", error.remedy) from None
    return NamedTarget(
        target,
        dialect_given=entry.dialect is not None or entry.token is not None,
        limits=dict(entry.limits),
        prices=own_prices(entry.prices),
        fake_openai=entry.fake_openai or "",
        concurrency=entry.concurrency,
        offer=entry.offer or "",
        caller=entry.caller or "",
        page=_page(entry.page, place, (*at, "page")) if entry.page else None,
    )


@dataclass(frozen=True)
class _Secrets:
    """The environment, asked for what the file names."""

    place: FilePlace
    environment: Mapping[str, str]

    def read(self, variable: str, path: KeyPath, shortest: int = 1) -> SecretStr:
        """`shortest`: what is shorter would be shown where it stands among ordinary text."""
        value = self.environment.get(variable, "")
        if not value:
            raise UsageError(
                f"{self.place.of(path)}: the environment variable {variable} is not set",
                f"export {variable}=…; the file names it, and the secret itself stays out of it",
            )
        if len(value) < shortest:
            raise UsageError(
                f"{self.place.of(path)}: {variable} has under {shortest} characters",
                "so short a secret cannot be kept out of reports; take a longer one",
            )
        return SecretStr(value)


def _ice_server(table: IceServerTable, secrets: _Secrets, at: KeyPath) -> IceServer:
    urls = (table.urls,) if isinstance(table.urls, str) else tuple(table.urls)
    username = table.username
    if table.username_env:
        username = secrets.read(table.username_env, (*at, "username_env")).get_secret_value()
    credential = SecretStr("")
    if table.credential_env:
        credential = secrets.read(table.credential_env, (*at, "credential_env"), SHORTEST_SECRET)
    return IceServer(urls, username, credential)


def _own_dialect(table: DialectTable, place: FilePlace, at: KeyPath) -> Dialect:
    said = {name: value for name, value in table.model_dump(exclude_none=True).items() if name != "like"}
    for name in ("statuses", "session_origins"):
        if name in said:
            said[name] = tuple(said[name])
    if said.get("content_type") in (SDP, TEXT):
        said.setdefault("offer", "")  # it is the body
    base = dialect_named(table.like) if table.like else Dialect(OWN)
    try:
        for name, value in said.get("headers", {}).items():
            check_header(name, value)
        return replace(base, **said, name=OWN, description="as harness.toml describes it")
    except UsageError as error:
        raise UsageError(f"{place.of(at)}: {error.message}", error.remedy) from None


def _page(table: PageTable, place: FilePlace, at: KeyPath) -> PageOptions:
    try:
        return PageOptions(
            start=(table.start,) if isinstance(table.start, str) else tuple(table.start),
            stop=table.stop,
            language=table.language,
            storage_state=place.path.parent / table.storage_state if table.storage_state else None,
            url=table.url or "",
        )
    except UsageError as error:
        raise UsageError(f"{place.of(at)}: {error.message}", error.remedy) from None


def _before_call(table: BeforeCallTable, target: str) -> BeforeCall:
    return BeforeCall(
        url=urljoin(over_http(target), table.url),
        method=table.method,
        body=table.body,
        fields=table.fields,
        secret_fields=table.secret_fields,
        headers=table.headers,
        secret_headers=table.secret_headers,
        timeout=table.timeout_s,
    )


def _token(table: TokenTable, target: str) -> TokenMint:
    for name, value in table.headers.items():
        check_header(name, value)
    return TokenMint(
        url=urljoin(target, table.url) if table.url else target,
        method=table.method,
        body=table.body,
        headers=table.headers,
        value=table.value,
        offers_to=table.offers_to or "",
    )


def _usage(table: UsageTable, target: str) -> UsageEndpoint:
    return UsageEndpoint(
        url=urljoin(over_http(target), table.url),
        number=table.field,
        unit=table.unit,
        timeout=table.timeout_s,
        settle=table.settle_s,
    )


def over_http(url: str) -> str:
    """The same address for HTTP: where a WebSocket is at `wss:`, all else is at `https:`."""
    return "http" + url.removeprefix("ws") if url.startswith(("ws:", "wss:")) else url


def _with_query(url: str, query: Mapping[str, SecretStr]) -> str:
    parts = urlsplit(url)
    more = urlencode({name: value.get_secret_value() for name, value in query.items()})
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, more)))))
