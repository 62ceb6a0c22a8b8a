"""Write `harness/core/price_table.py` anew from the genai-prices package: `python -m tools.prices`.

The figures stand in our package with their date, so that no call waits for a price list and none is fetched
while a run is made. A test holds the table against the package that is installed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from genai_prices import data, types

TABLE = Path(__file__).parents[1] / "harness/core/price_table.py"
# Ours → theirs.
KINDS = {
    "text_in": "input_mtok",
    "text_cached": "cache_read_mtok",
    "text_out": "output_mtok",
    "audio_in": "input_audio_mtok",
    "audio_cached": "cache_audio_read_mtok",
    "audio_out": "output_audio_mtok",
    "image_in": "input_image_mtok",
    "image_cached": "cache_image_read_mtok",
    "per_hour": "audio_hours",
}


def figures() -> dict[str, dict[str, float]]:
    """Each Realtime and Live model of OpenAI's by each of its names, with what it costs today."""
    openai = next(provider for provider in data.providers if provider.id == "openai")
    found = {}
    for model in openai.models:
        if "realtime" in model.id or model.id.startswith("gpt-live"):
            price = model.get_prices(datetime.now(UTC))
            ours = {name: getattr(price, theirs, None) for name, theirs in KINDS.items()}
            for name in (model.id, *_names(model.match)):
                found[name] = {kind: float(value) for kind, value in ours.items() if value is not None}
    return dict(sorted(found.items()))


def table() -> str:
    """The module."""
    entries = "\n".join(
        f'    "{model}": {{' + ", ".join(f'"{kind}": {value:g}' for kind, value in kinds.items()) + "},"
        for model, kinds in figures().items()
    )
    return f'''\
"""What OpenAI's Realtime and Live models cost. Written by `python -m tools.prices`; not by hand."""

from __future__ import annotations

from harness.core.clock import Date

SOURCE = "genai-prices {version("genai-prices")}"
KNOWN_ON = Date({datetime.now(UTC):%Y, %-m, %-d})

# USD per million tokens, and per hour of the session: `harness.core.prices.Price`.
FIGURES: dict[str, dict[str, float]] = {{
{entries}
}}
'''


def _names(match: object) -> Iterator[str]:
    if isinstance(match, types.ClauseEquals):
        yield match.equals
    elif isinstance(match, types.ClauseOr):
        for each in match.or_:
            yield from _names(each)


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", TABLE], check=True)  # noqa: S603  (ours)
