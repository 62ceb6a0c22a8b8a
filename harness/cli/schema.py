"""`harness schema`: the JSON Schemas, for editors and programs."""

from __future__ import annotations

import click

from harness.cli.screen import say
from harness.report.schemas import NAMES, schema_text


@click.command()
@click.argument("document", type=click.Choice(list(NAMES)))
def schema(document: str) -> None:
    """Print the JSON Schema of results.json or of harness.toml."""
    say(schema_text(document).rstrip("\n"))
