"""What the environment says. Secrets come from here and from nowhere else."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """HARNESS_… variables. An empty variable counts as unset."""

    model_config = SettingsConfigDict(env_prefix="HARNESS_", env_ignore_empty=True, frozen=True)

    fixtures: Path | None = None
    """Where the audio fixtures are, when they are not those that come with the harness."""
