"""Every network with every set of ICE servers connects, or fails with the cause that theory names."""

from __future__ import annotations

import pytest

from harness.core.events import CallEnded, ChecksCounted, PacketsReceived, SendingStarted
from tests.network.nat.addresses import NO_SERVERS
from tests.network.nat.cells import CELLS, CONVERSATION, Cell
from tests.network.nat.results import Result
from tests.network.nat.running import Seen, make_every_call
from tests.network.nat.theory import THEORY
from tests.system.calling import was_late
from tools.networks import PAGE, page

pytestmark = pytest.mark.timeout(200)  # the first test waits for all calls


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[Cell, Seen]:
    """All calls; again, those of which this machine was too slow to tell."""
    seen = make_every_call(tmp_path_factory.mktemp("calls"))
    for _ in range(2):
        late = [cell for cell, call in seen.items() if not is_right(cell, call) and is_late(call)]
        if not late:
            break
        again = make_every_call(tmp_path_factory.mktemp("again"))
        seen |= {cell: again[cell] for cell in late}
    return seen


def is_right(cell: Cell, call: Seen) -> bool:
    result = Result.of(call)
    return cell not in THEORY or result == Result.due(THEORY[cell], relayed=result.relayed)


def is_late(call: Seen) -> bool:
    return was_late(call.alone) or was_late(call.both_ends)


def test_theory_knows_every_network_with_every_set_of_servers() -> None:
    assert list(THEORY) == CELLS


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_verdict_is_as_theory_says(cell: Cell, seen: dict[Cell, Seen]) -> None:
    result = Result.of(seen[cell])
    assert result == Result.due(THEORY[cell], relayed=result.relayed)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if THEORY[cell].connects], ids=str)
def test_a_call_that_connects_carries_events_and_media(cell: Cell, seen: dict[Cell, Seen]) -> None:
    timeline = seen[cell].alone
    ended = timeline.last(CallEnded)
    assert ended is not None
    assert ended.reason == "the scenario ran to its end"
    assert timeline.all(SendingStarted)
    assert timeline.all(PacketsReceived)


def test_a_conversation_is_held_where_nothing_passes_but_tcp_443(seen: dict[Cell, Seen]) -> None:
    (done,) = seen[CONVERSATION].alone.server_events("response.done")
    assert (done.event or {})["response"]["status"] == "completed"


def test_a_half_open_firewall_lets_checks_out_and_the_others_do_not(seen: dict[Cell, Seen]) -> None:
    silent = [c for c in CELLS if c.ice_servers == NO_SERVERS and not THEORY[c].connects]
    counted = {c.network: seen[c].both_ends.last(ChecksCounted, side="upstream") for c in silent}
    assert all(counted.values())
    arrived = [network for network, count in counted.items() if count and count.received]
    assert arrived == ["half-open-firewall"]


def test_the_page_says_what_came_of_these_calls(seen: dict[Cell, Seen]) -> None:
    """`make networks` writes it anew."""
    results = {cell: Result.of(call) for cell, call in seen.items()}
    assert PAGE.read_text(encoding="utf-8") == page(results)
