"""Every network with every set of ICE servers: one real call each, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from harness.core.timeline import Timeline
from tests.network.nat.addresses import FAKE, FAKE_PORT, ICE_SERVERS, OPENAI, RELAY, RELAY_PORT
from tests.network.nat.internet import Internet
from tests.network.nat.networks import NETWORKS, Network
from tests.network.nat.programs import begin, outcome, python, server
from tests.support.netns import Namespaces

FAKE_TOKEN = "management-token-of-a-test"


class Cell(NamedTuple):
    """A place in the table."""

    network: str
    ice_servers: str


@dataclass(frozen=True)
class Seen:
    """One call: as a page in that network sees it, and with the upstream's view beside."""

    black_box: Timeline
    grey_box: Timeline


def make_every_call(folder: Path, networks: Sequence[Network] = NETWORKS) -> dict[Cell, Seen]:
    """Make the networks, make the calls, take everything down. Raises RuntimeError where a program failed."""
    with ExitStack() as stack:
        internet = Internet(stack.enter_context(Namespaces()))
        callers = {}
        for network in networks:
            calls = folder / network.name
            calls.mkdir()
            calling = python(internet.attach(network), "tests.network.nat.calling", str(calls))
            callers[network.name] = stack.enter_context(calling)
        stack.enter_context(internet.coturn(folder / "coturn"))
        fake = ("fake-openai", "--bind", f"{OPENAI}:{FAKE_PORT}", "--seed", "1")
        relay = ("relay", "--bind", f"{RELAY}:{RELAY_PORT}", "--upstream", f"{FAKE}/v1")
        stack.enter_context(server(internet.openai, *fake, HARNESS_FAKE_TOKEN=FAKE_TOKEN))
        stack.enter_context(server(internet.relay, *relay, OPENAI_API_KEY="sk-of-a-test"))
        for caller in callers.values():
            begin(caller)
        for name, caller in callers.items():
            outcome(caller, f"the caller in {name}")
        collect = ("tests.network.nat.collecting", str(folder))
        with python(internet.openai, *collect, HARNESS_FAKE_TOKEN=FAKE_TOKEN) as collector:
            outcome(collector, "the collector")
    return {
        Cell(network.name, ice_servers): _seen(folder / network.name, number)
        for network in networks
        for number, ice_servers in enumerate(ICE_SERVERS)
    }


def _seen(folder: Path, number: int) -> Seen:
    black_box, grey_box = (
        Timeline.from_jsonl((folder / f"{number}{suffix}").read_text(encoding="utf-8"))
        for suffix in (".jsonl", ".grey.jsonl")
    )
    return Seen(black_box, grey_box)
