"""A verdict in Markdown, for pages that others render: what a target says stays text there."""

from __future__ import annotations

import re
from html import escape

from harness.core.printable import printable
from harness.requirements.model import Verdict

# CommonMark 2.4: any of these may stand behind a backslash. Autolinks (GFM 6.9) begin without a bracket.
_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_LINK = re.compile(r"\b(https?|www)([:.])", re.IGNORECASE)


def text(value: str) -> str:
    """One line of plain text: no markup in it, no link, no mention, no line end."""
    flat = " ".join(printable(value, lines=True).split())
    return _LINK.sub(r"\1&#8203;\2", _SPECIAL.sub(r"\\\1", escape(flat, quote=False)))


def paragraphs(verdict: Verdict, title: str = "") -> str:
    """What `explain` says, each sentence a paragraph, and what was seen as a list."""
    said = [("Rule", f"{title} ({verdict.level.value})" if title else "")]
    said += [("Why", verdict.explanation), ("Fix", verdict.fix)]
    blocks = [f"**{name}:** {text(words)}" for name, words in said if words]
    seen = [f"- {text(str(each))}" for each in verdict.evidence]
    if seen:
        blocks.insert(-1 if verdict.fix else len(blocks), "**Seen:**\n\n" + "\n".join(seen))
    blocks += [
        f"**Or, if it is {text(other.cause)}:** {text(other.fix)}"
        for other in verdict.alternatives
        if other.fix
    ]
    return "\n\n".join(blocks)
