from __future__ import annotations

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from tools.transports import machines, running
from tools.transports.machines import missing
from tools.transports.networks import NETWORKS, WAYS, Network
from tools.transports.running import ATTEMPTS, in_turn, run


def test_each_turn_has_every_cell_once_in_an_order_of_its_own() -> None:
    planned = in_turn(list(NETWORKS), 20, seed=1)
    cells = len(NETWORKS) * len(WAYS)
    turns = [planned[n : n + cells] for n in range(0, len(planned), cells)]
    assert len(turns) == 20
    orders = {tuple((call.network, call.way) for call in turn) for turn in turns}
    assert len(orders) == 20
    assert all(len(set(order)) == cells for order in orders)
    assert planned == in_turn(list(NETWORKS), 20, seed=1)


def test_where_no_networks_can_be_made_it_is_said_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert missing() == "only root may make network namespaces"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machines, "found_program", lambda name: None if name == "ip" else name)
    assert missing() == "not installed: ip (Debian: util-linux, iproute2, procps)"


class PretendedPlace:
    """Spoils the first call of each way, fails once, and never manages one over 3g."""

    opened = 0
    made: ClassVar[Counter[tuple[str, str, int]]] = Counter()

    def prefer(self) -> None:
        pass

    async def call(
        self, way: str, network: Network, *, seed: int, short: bool = False, keep: str = ""
    ) -> dict[str, Any]:
        if short:
            return {}
        self.made[way, network.name, seed] += 1
        if network.name == "train" and self.made[way, network.name, seed] == 1:
            raise RuntimeError("the caller's program ended")
        is_spoilt = network.name == "3g" or self.made[way, network.name, seed] == 1
        names = ("setup_ms", "first_audio_ms", "second_audio_ms", "gaps_heard_ms")
        return {"spoilt": "late" if is_spoilt else "", "survived": True, **dict.fromkeys(names, 1.0)}


async def test_a_spoilt_call_is_made_again_and_counted_and_given_up_only_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def opened() -> AsyncIterator[PretendedPlace]:
        PretendedPlace.opened += 1
        yield PretendedPlace()

    monkeypatch.setattr(running, "open_place", opened)
    lines: list[str] = []
    planned = in_turn(["clean", "train", "3g"], 2, seed=5)
    found = await run(planned, places=2, seed=5, tell=lines.append, keep=None)
    assert Counter(call.network for call, _ in found.calls) == {"clean": 4, "train": 4}
    assert Counter(call.network for call in found.given_up) == {"3g": 4}
    assert Counter(call.network for call, _ in found.spoilt) == {"clean": 4, "train": 4, "3g": 4 * ATTEMPTS}
    assert {why for _, why in found.spoilt} == {"late", "the caller's program ended"}
    assert PretendedPlace.opened > 4  # a place whose programs failed is no longer used
    assert len(lines) == len(found.calls) + len(found.spoilt)
    assert any("SPOILT, late" in line for line in lines)


async def test_where_no_place_can_be_had_the_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[PretendedPlace]:
        if not lines:
            raise RuntimeError("the fake did not start: no room")
        yield PretendedPlace()

    monkeypatch.setattr(running, "open_place", opened)
    with pytest.raises(RuntimeError, match="the fake did not start: no room"):
        await run(in_turn(["clean"], 1, seed=1), places=2, seed=1, tell=lines.append, keep=None)
