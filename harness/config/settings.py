"""What the environment says. Secrets come from here and from nowhere else."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """HARNESS_… variables. An empty variable counts as unset."""

    model_config = SettingsConfigDict(env_prefix="HARNESS_", env_ignore_empty=True, frozen=True)

    fixtures: Path | None = None
    """Where the audio fixtures are, when they are not those that come with the harness."""

    target: str = ""
    """The relay under test, where --target is not given."""

    dialect: str = "json"
    """How the target wraps offer and answer, where --dialect is not given."""

    bearer: SecretStr = SecretStr("")
    """Sent to the target as `Authorization: Bearer …`."""

    origin: str = ""
    """The web page's origin, sent as a browser would."""

    fake_token: SecretStr = SecretStr("")
    """The token of the fake's management, where it listens beyond loopback."""
