"""`harness catalogue` and `harness faults`: what is judged, and what can be broken on purpose."""

from __future__ import annotations

import json
from typing import Any

import click

from harness.cli.screen import say
from harness.fakes.faults.registry import Fault, FaultRegistry
from harness.fakes.openai.faults import OPENAI_FAULTS
from harness.fakes.relay.faults import RELAY_FAULTS
from harness.requirements.catalogue import as_json as catalogue_as_json
from harness.requirements.catalogue import as_markdown
from harness.requirements.registry import REGISTRY


@click.command()
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of Markdown")
def catalogue(as_json: bool) -> None:
    """List every requirement with its source, its causes and how to fix them."""
    if as_json:
        say(json.dumps(catalogue_as_json(REGISTRY), indent=1, ensure_ascii=False))
    else:
        say(as_markdown(REGISTRY))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="print JSON instead of lines")
def faults(as_json: bool) -> None:
    """List the faults that the reference relay and the fake OpenAI can be given."""
    parties = {"relay": RELAY_FAULTS, "fake-openai": OPENAI_FAULTS}
    if as_json:
        listed = {party: [_entry(fault) for fault in registry] for party, registry in parties.items()}
        say(json.dumps(listed, indent=1, ensure_ascii=False))
        return
    for party, registry in parties.items():
        say(f"harness {party} --fault NAME[=VALUE]")
        for line in _lines(registry):
            say(f"  {line}")


def _entry(fault: Fault) -> dict[str, Any]:
    return {
        "name": fault.name,
        "stage": fault.stage,
        "description": fault.description,
        "default": fault.default,
        "value": fault.value_help,
    }


def _lines(registry: FaultRegistry) -> list[str]:
    width = max((len(fault.name) for fault in registry), default=0)
    return [
        f"{fault.name:<{width}}  {fault.description}"
        + (f" ({fault.value_help}; default {fault.default})" if fault.value_help else "")
        for fault in registry
    ]
