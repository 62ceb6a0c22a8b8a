"""Each network is what its name says: judged by coturn's own RFC 5780 client, and by what gets through."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.network.nat.addresses import STUN
from tests.network.nat.internet import Internet
from tests.network.nat.networks import NETWORKS
from tests.network.nat.probing import SERVERS
from tests.network.nat.programs import Program, outcome, python
from tests.support.netns import Namespace, Namespaces
from tests.support.programs import needs_program

DISCOVERY_SECONDS = 40.0
INDEPENDENT = "Endpoint Independent"
DEPENDENT = "Address and Port Dependent"
ALL = set(SERVERS)
UDP = {server for server in SERVERS if server.startswith("UDP")}


@dataclass(frozen=True)
class Behaviour:
    """RFC 4787's words, empty where no STUN server can be asked; `translated`: whether there is a NAT."""

    mapping: str
    filtering: str
    translated: bool
    reaches: frozenset[str]


def behaviour(mapping: str, filtering: str, *, translated: bool = True, reaches: set[str] = ALL) -> Behaviour:
    return Behaviour(mapping, filtering, translated, frozenset(reaches))


EXPECTED = {
    "open": behaviour(INDEPENDENT, INDEPENDENT, translated=False),
    "full-cone-nat": behaviour(INDEPENDENT, INDEPENDENT),
    "port-restricted-nat": behaviour(INDEPENDENT, DEPENDENT),
    "symmetric-nat": behaviour(DEPENDENT, DEPENDENT),
    "dead-stun-server": behaviour("", "", reaches=ALL - {"UDP 3478, STUN server"}),
    "udp-3478-only": behaviour(INDEPENDENT, DEPENDENT, reaches=ALL - {"UDP 443"}),
    "udp-blocked": behaviour("", "", reaches=ALL - UDP),
    "tcp-443-only": behaviour("", "", reaches={"TCP 443"}),
    "half-open-firewall": behaviour("", "", reaches=ALL - UDP),
}


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Behaviour]:
    """All networks, asked at once: discovery is waiting for what does not come."""
    with ExitStack() as stack:
        internet = Internet(stack.enter_context(Namespaces()))
        program = needs_program("turnutils_natdiscovery")
        callers = {network.name: internet.attach(network) for network in NETWORKS}
        stack.enter_context(internet.coturn(tmp_path_factory.mktemp("coturn"), discovery=True))
        probes = {
            name: stack.enter_context(python(caller, "tests.network.nat.probing"))
            for name, caller in callers.items()
        }
        discoveries = {name: _discover(caller, program) for name, caller in callers.items()}
        return {name: _behaviour(discoveries[name], probes[name]) for name in callers}


def _discover(caller: Namespace, program: str) -> Program:
    command = [*caller.prefix, program, "-m", "-f", STUN]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _behaviour(discovery: Program, probe: Program) -> Behaviour:
    said, _ = discovery.communicate(timeout=DISCOVERY_SECONDS)
    probed = json.loads(outcome(probe, "the probe"))
    mapping, filtering = (_said(kind, said) for kind in ("Mapping", "Filtering"))
    return Behaviour(mapping, filtering, probed["translated"], frozenset(probed["reaches"]))


def _said(kind: str, output: str) -> str:
    found = re.search(rf"NAT with (.+) {kind}!", output)
    return found.group(1) if found else ""


def test_every_network_has_an_expected_behaviour() -> None:
    assert EXPECTED.keys() == {network.name for network in NETWORKS}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_network_is_what_its_name_says(name: str, observed: dict[str, Behaviour]) -> None:
    assert observed[name] == EXPECTED[name]
