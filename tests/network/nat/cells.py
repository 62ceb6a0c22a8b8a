"""The places of the table: a network, and the ICE servers that a caller in it is told of."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.network.nat.addresses import ICE_SERVERS, TURN_TCP_443
from tests.network.nat.networks import NETWORKS


class Cell(NamedTuple):
    """`network` names one of NETWORKS, `ice_servers` one of ICE_SERVERS."""

    network: str
    ice_servers: str

    def __str__(self) -> str:
        return f"{self.network} with {self.ice_servers}"


CELLS = [Cell(network.name, ice_servers) for network in NETWORKS for ice_servers in ICE_SERVERS]

# The others only connect: this one holds a conversation, through the strictest firewall that can be passed.
CONVERSATION = Cell("tcp-443-only", TURN_TCP_443)


def timeline_file(folder: Path, cell: Cell, *, both_ends: bool = False) -> Path:
    """Where the timeline of a cell's call is kept; `both_ends`: with the upstream's view beside."""
    return folder / f"{CELLS.index(cell)}{'.both-ends' if both_ends else ''}.jsonl"
