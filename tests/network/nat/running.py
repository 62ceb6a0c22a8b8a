"""Every network with every set of ICE servers: one real call each, all at once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.core.timeline import Timeline
from tests.network.nat.addresses import FAKE, FAKE_PORT, OPENAI, RELAY, RELAY_PORT
from tests.network.nat.cells import CELLS, Cell, timeline_file
from tests.network.nat.internet import Internet
from tests.network.nat.networks import NETWORKS
from tests.network.nat.programs import begin, outcome, python, server
from tests.support.netns import Namespaces

FAKE_TOKEN = "management-token-of-a-test"


@dataclass(frozen=True)
class Seen:
    """One call: as a page in that network sees it, and with the upstream's view beside."""

    alone: Timeline
    both_ends: Timeline


def make_every_call(folder: Path) -> dict[Cell, Seen]:
    """Make the networks, make the calls, take everything down. Raises RuntimeError where a program failed."""
    with ExitStack() as stack:
        internet = Internet(stack.enter_context(Namespaces()))
        # Where callers wait longest is last in the table, and begins first.
        callers = [f"{network.name}={internet.attach(network).name}" for network in reversed(NETWORKS)]
        # Loads while the servers do, and enters the callers' namespaces by itself, from one that is swept.
        calling = ("tests.network.nat.calling", str(folder), *callers)
        calls = stack.enter_context(python(internet.relay, *calling))
        stack.enter_context(internet.coturn(folder / "coturn"))
        fake = ("fake-openai", "--bind", f"{OPENAI}:{FAKE_PORT}", "--seed", "1", "--vad", "webrtc")
        relay = ("relay", "--bind", f"{RELAY}:{RELAY_PORT}", "--upstream", f"{FAKE}/v1")
        stack.enter_context(server(internet.openai, *fake, HARNESS_FAKE_TOKEN=FAKE_TOKEN))
        stack.enter_context(server(internet.relay, *relay, OPENAI_API_KEY="sk-of-a-test"))
        begin(calls)
        outcome(calls, "calling")
        collecting = ("tests.network.nat.collecting", str(folder))
        with python(internet.openai, *collecting, HARNESS_FAKE_TOKEN=FAKE_TOKEN) as collector:
            outcome(collector, "collecting the upstream's view")
    return {cell: Seen(_read(folder, cell), _read(folder, cell, both_ends=True)) for cell in CELLS}


def _read(folder: Path, cell: Cell, *, both_ends: bool = False) -> Timeline:
    file = timeline_file(folder, cell, both_ends=both_ends)
    return Timeline.from_jsonl(file.read_text(encoding="utf-8"))
