"""How each network treats a caller, by coturn's own RFC 5780 client and by what gets through."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

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
ALL = tuple(SERVERS)
TCP = tuple(server for server in SERVERS if server.startswith("TCP"))


@dataclass(frozen=True)
class Behaviour:
    """`mapping` and `filtering` in RFC 4787's words, empty where no STUN server answers.

    `translated`: whether servers see another address than the caller's own. `reaches`: those of
    `probing.SERVERS` that answer.
    """

    mapping: str
    filtering: str
    translated: bool = True
    reaches: tuple[str, ...] = ALL


# What makes each network worth its name.
EXPECTED = {
    "open": Behaviour(INDEPENDENT, INDEPENDENT, translated=False),
    "full-cone-nat": Behaviour(INDEPENDENT, INDEPENDENT),
    "port-restricted-nat": Behaviour(INDEPENDENT, DEPENDENT),
    "symmetric-nat": Behaviour(DEPENDENT, DEPENDENT),
    "dead-stun-server": Behaviour("", "", reaches=ALL[1:]),
    "udp-3478-only": Behaviour(
        INDEPENDENT, DEPENDENT, reaches=tuple(server for server in ALL if server != "UDP 443")
    ),
    "udp-blocked": Behaviour("", "", reaches=TCP),
    "tcp-443-only": Behaviour("", "", reaches=("TCP 443",)),
    "half-open-firewall": Behaviour("", "", reaches=TCP),
}


def observe_every_network(folder: Path) -> dict[str, Behaviour]:
    """Ask from all networks at once: discovery is waiting for what does not come."""
    with ExitStack() as stack:
        internet = Internet(stack.enter_context(Namespaces()))
        program = needs_program("turnutils_natdiscovery")
        callers = {network.name: internet.attach(network) for network in NETWORKS}
        stack.enter_context(internet.coturn(folder / "coturn", discovery=True))
        discoveries = {
            name: stack.enter_context(_discover(caller, program)) for name, caller in callers.items()
        }
        probes = {
            name: stack.enter_context(python(caller, "tests.network.nat.probing"))
            for name, caller in callers.items()
        }
        return {name: _behaviour(discoveries[name], probes[name]) for name in callers}


def _discover(caller: Namespace, program: str) -> Program:
    command = [*caller.prefix, program, "-m", "-f", STUN]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _behaviour(discovery: Program, probe: Program) -> Behaviour:
    said, _ = discovery.communicate(timeout=DISCOVERY_SECONDS)
    probed = json.loads(outcome(probe, "the probe"))
    mapping, filtering = (_said(kind, said) for kind in ("Mapping", "Filtering"))
    return Behaviour(mapping, filtering, probed["translated"], tuple(probed["reaches"]))


def _said(kind: str, output: str) -> str:
    found = re.search(rf"NAT with (.+) {kind}!", output)
    return found.group(1) if found else ""
