"""How the text of an option becomes its value. Each reader raises UsageError that quotes the text.

The plugin loads this into every pytest of an environment, so what is heavy is imported when it is asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from harness.core.errors import UsageError
from harness.core.limits import parse_limit
from harness.core.nearest import meant

Reader = Callable[[str], Any]

_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,20}", re.ASCII)


def text(said: str) -> str:
    """As it is; what only a higher floor knows is checked there."""
    return said


def path(said: str) -> Path:
    """A file or a folder, whether or not it exists."""
    return Path(said)


def whole(least: int, most: int | None = None) -> Reader:
    """A whole number in a range."""

    def read(said: str) -> int:
        number = int(said) if _WHOLE.fullmatch(said.strip()) else None
        if number is None or number < least or (most is not None and number > most):
            span = f"{least} or more" if most is None else f"from {least} to {most}"
            raise UsageError(_no(said, "whole number", number), f"give a whole number, {span}")
        return number

    return read


def number(*, least: float = 0.0, above: float | None = None, most: float | None = None) -> Reader:
    """A finite number: `above` excludes that number itself."""

    def read(said: str) -> float:
        try:
            found = float(said)
        except ValueError:
            found = math.nan
        low = found >= least if above is None else found > above
        if not (math.isfinite(found) and low and (most is None or found <= most)):
            bound = f"{least:g} or more" if above is None else f"above {above:g}"
            span = bound if most is None else f"from {least:g} to {most:g}"
            raise UsageError(
                _no(said, "number", None if math.isnan(found) else found), f"give a number {span}"
            )
        return found

    return read


def one_of(kind: str, names: Iterable[str]) -> Reader:
    """One of a few names; `kind` is what they name."""
    listed = tuple(names)

    def read(said: str) -> str:
        if said not in listed:
            raise UsageError(f"there is no {kind} {said!r}", meant(said, listed))
        return said

    return read


def duration(said: str) -> int:
    """`1h30m`, `90s`, in seconds."""
    found = _DURATION.fullmatch(said.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if total == 0:
        raise UsageError(f"{said!r} is not a duration", "write 30m, 90s or 1h30m")
    return total


def limit(said: str) -> tuple[str, float]:
    """`NAME=VALUE`."""
    return parse_limit(said)


def dialect(said: str) -> str:
    """A dialect's name."""
    from harness.core.dialects import check_dialect

    check_dialect(said)
    return said


def origin(said: str) -> str:
    """As browsers send it."""
    from harness.config.target import check_origin

    check_origin(said)
    return said


def fake_address(said: str) -> str:
    """Where a fake's management is."""
    from harness.config.run import management

    try:
        management(said)
    except UsageError:
        shown = "…@" + said.rpartition("@")[2] if "@" in said else said
        raise UsageError(
            f"{shown!r} is no address of a fake", "give HOST:PORT, such as 127.0.0.1:8089"
        ) from None
    return said


def ice_url(said: str) -> str:
    """An ICE server, credentials from the environment."""
    from harness.config.ice import ice_server
    from harness.config.settings import read_settings

    environment = read_settings()
    ice_server(said, environment.ice_username, environment.ice_credential)
    return said


def servers_from(said: str) -> str:
    """Where ICE servers are fetched."""
    from harness.config.ice import check_servers_from

    check_servers_from(said)
    return said


def authority(said: str) -> Path:
    """A file of certificates."""
    from harness.config.ice import check_authority

    check_authority(Path(said))
    return Path(said)


def _no(said: str, what: str, found: float | None) -> str:
    return f"{said!r} is no {what}" if found is None else f"{said!r} is out of range"
