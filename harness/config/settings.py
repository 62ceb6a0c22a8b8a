"""What the environment says. Secrets come from here and from nowhere else."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from harness.core.errors import UsageError


class Settings(BaseSettings):
    """HARNESS_… variables. An empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix="HARNESS_", env_ignore_empty=True, frozen=True, use_attribute_docstrings=True
    )

    fixtures: Path | None = None
    """A folder of recorded speech with a manifest, which adds to what comes with the harness."""

    faults: str = ""
    """Python files that declare faults of one's own for the fakes; several as PATH has them."""

    target: str = ""
    """The relay under test, where --target is not given."""

    config: Path | None = None
    """The file that names targets, where --config is not given."""

    dialect: str = ""
    """How the target wraps offer and answer, where --dialect is not given (default: json)."""

    bearer: SecretStr = SecretStr("")
    """Sent to the target as `Authorization: Bearer …`."""

    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """More headers for the target, as JSON: {"X-Tenant": "acme"}. Their values are kept out of reports."""

    cookies: dict[str, SecretStr] = Field(default_factory=dict)
    """Cookies for the target, as JSON: {"session": "…"}."""

    fields: dict[str, Any] = Field(default_factory=dict)
    """What goes beside the SDP in the offer's body, as JSON: {"chatId": "c1"}."""

    silence: Literal["true", "comfort"] = "true"
    """What is sent when nothing is said: digital silence, or the faint noise of a live microphone."""

    origin: str = ""
    """The web page's origin, sent as a browser would."""

    offer: str = ""
    """How every offer is written, where --offer is not given (default: in every shape in turn)."""

    find_line: bool = False
    """Whether to search for the line of a refused offer that the target trips over: up to 3 billed calls."""

    caller: str = ""
    """Who makes the calls, where --caller is not given (default: as the target's address asks for)."""

    ice_servers: SecretStr = SecretStr("")
    """STUN and TURN servers as browsers take them: [{"urls": …, "username": …, "credential": …}]."""

    ice_servers_from: str = ""
    """Where ICE servers are fetched, in place of --ice-servers-from."""

    ice_transport_policy: str = ""
    """all or relay, in place of --ice-transport-policy."""

    ice_ca: Path | None = None
    """An authority (PEM) that turns: servers may be signed by, in place of --ice-ca."""

    ice_username: str = ""
    """For TURN servers that --ice-server or `harness ice` names by URL alone."""

    ice_credential: SecretStr = SecretStr("")
    """Likewise."""

    plain_platform: bool = False
    """Use nothing that only some systems have (uvloop, the kernel's time of a packet, …), as on Windows."""

    webhook: SecretStr = SecretStr("")
    """Where `harness watch` posts its alerts, where --webhook is not given."""

    native: bool = True
    """Whether packets go through the part in C where `python -m harness.peer.native` has built it."""

    fake_token: SecretStr = SecretStr("")
    """The token of the fake's management, where it listens beyond loopback."""


def read_settings() -> Settings:
    """Read the environment. Raises UsageError naming the variable, never its value.

    Read again only where it has changed: pydantic takes a millisecond, and each load of the fixtures asks.
    """
    return _read(frozenset(v for v in os.environ.items() if v[0].upper().startswith("HARNESS_")))


@lru_cache(maxsize=1)
def _read(_variables: frozenset[tuple[str, str]]) -> Settings:
    try:
        return Settings()
    except (ValidationError, SettingsError) as error:
        names = (
            [f"HARNESS_{'_'.join(map(str, e['loc'])).upper()}" for e in error.errors(include_input=False)]
            if isinstance(error, ValidationError)
            else [f"HARNESS_{str(error).partition('field ')[2].partition(' ')[0].strip(chr(34)).upper()}"]
        )
        raise UsageError(
            f"{' and '.join(names)} cannot be read", "docs/targets.md says what each variable holds"
        ) from None  # the cause quotes the value, which may be a secret
