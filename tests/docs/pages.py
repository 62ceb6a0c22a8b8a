"""The documentation as tests read it: pages, their code blocks, the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^ *```(?P<language>\w+)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    """Everything written for people, generated pages among it."""
    top = [
        ROOT / name
        for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "AGENTS.md")
    ]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of one language."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [match["text"] for match in found if match["language"] == language]


def commands(page: Path) -> Iterator[str]:
    """Each command: what `sh` blocks hold, and what stands behind `$` in `console` blocks."""
    for block in blocks(page, "sh"):
        lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
        yield from _joined(lines, everything=True)
    for block in blocks(page, "console"):
        yield from _joined(block.splitlines(), everything=False)


def _joined(lines: list[str], *, everything: bool) -> Iterator[str]:
    """Commands with the lines that a shell would wait for: behind a backslash, or inside quotes."""
    rest = iter(lines)
    for line in rest:
        begun = line.strip() if everything else line.lstrip().removeprefix("$ ").strip()
        if not begun or not (everything or line.lstrip().startswith("$ ")):
            continue
        while not _is_whole(begun):
            begun = f"{begun.removesuffix(chr(92))} {next(rest).strip()}"
        yield " ".join(begun.split())


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True
