"""Numbers and names as the report writes them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from harness.report.counting import counted as counted
from harness.requirements.model import Outcome
from harness.run.model import RunVerdict

# A sign beside each colour, so that no meaning hangs on the colour alone (WCAG 2.2, 1.4.1).
SIGNS = {
    Outcome.ERROR: "⚡",
    Outcome.FAILED: "✗",
    Outcome.WARNED: "!",
    Outcome.INCONCLUSIVE: "?",
    Outcome.BLOCKED: "⊘",
    Outcome.PASSED: "✓",
    Outcome.OBSERVED: "#",
    Outcome.NOT_APPLICABLE: "–",
}
WORST_FIRST = tuple(SIGNS)

VERDICT_SIGNS = {
    RunVerdict.CONFORMING: "✓",
    RunVerdict.VIOLATING: "✗",
    RunVerdict.INCONCLUSIVE: "?",
    RunVerdict.UNREACHABLE: "⚡",
}


def spoken(outcome: Outcome) -> str:
    """`not-applicable` → `not applicable`."""
    return outcome.value.replace("-", " ")


def duration(seconds: float) -> str:
    """316 ms, 1,136 ms, 12.3 s: milliseconds while they can be compared with limits."""
    if seconds < 0.0005:
        return "< 1 ms"
    return f"{1000 * seconds:,.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def ticked(text: str) -> Markup:
    """Escaped, with what stands between backticks as code, as the catalogue writes it."""
    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  (escaped first)


def number(value: float | None) -> str:
    """A measured value with the three digits that say something; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
