"""What is installed only by those who need it, and the line that installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from harness.core.errors import UsageError

# Extra → the modules that it brings; pyproject.toml says in which versions.
EXTRAS = {
    "load": ("aiohttp", "locust", "gevent", "flask", "faker", "scipy"),
    "allure": ("allure_commons", "allure_pytest"),
    "browser": ("playwright",),
    "quality": ("pystoi", "scipy", "jiwer"),
    "telemetry": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
}


def is_installed(extra: str) -> bool:
    """Whether all that an extra brings is there."""
    try:
        return all(find_spec(module) is not None for module in EXTRAS[extra])
    except ModuleNotFoundError:  # of a package that the module would be in
        return False


def install_line(extra: str) -> str:
    """What to type."""
    return f"pip install 'voice-relay-harness[{extra}]'"


@contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """Raises UsageError with the line that installs it, where a module of the extra is missing inside.

    `what` is the subject of the sentence: `harness capacity`.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {module.partition(".")[0] for module in EXTRAS[extra]}:
            raise
        raise UsageError(f"{what} needs what is not installed here", install_line(extra)) from None


def require_extra(extra: str, what: str) -> None:
    """As `needs_extra`, before anything is imported."""
    if not is_installed(extra):
        raise UsageError(f"{what} needs what is not installed here", install_line(extra))
