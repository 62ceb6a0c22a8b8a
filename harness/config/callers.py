"""Who makes a run's calls: what was asked for, else what the target's address asks for."""

from __future__ import annotations

from urllib.parse import urlsplit

from harness.core.callers import CALLERS, DEFAULT_CALLER
from harness.core.errors import UsageError
from harness.core.nearest import meant


def check_caller(name: str) -> None:
    """Raises UsageError, with near matches, for a kind of caller that there is not."""
    if name not in CALLERS:
        raise UsageError(f"there is no caller {name!r}", meant(name, CALLERS))


def caller_for(given: str, address: str, *, impairment: str = "", offer: str = "") -> str:
    """The kind of caller for the target at an address (empty: the embedded relay). Raises UsageError.

    Without one given it is the first that can call such an address. What a run asks of every call (its
    network, how its offer is written) must be in this kind's power.
    """
    scheme = urlsplit(address).scheme
    fitting = [name for name, kind in CALLERS.items() if scheme in kind.schemes] if address else []
    caller = given or (fitting[0] if fitting else DEFAULT_CALLER)
    check_caller(caller)
    if fitting and caller not in fitting:
        raise UsageError(
            f"a {caller} caller cannot call {scheme}://",
            f"leave --caller out, or choose {' or '.join(fitting)}",
        )
    cannot = CALLERS[caller].cannot
    if impairment and "impair" in cannot:
        raise UsageError(f"--impairment needs another caller than {caller}", cannot["impair"])
    if offer and "offer" in cannot:
        raise UsageError(f"--offer needs another caller than {caller}", cannot["offer"])
    return caller
