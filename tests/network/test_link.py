from __future__ import annotations

import asyncio
from functools import partial

import pytest

from harness.network.impairments import Impairment
from harness.network.link import Link
from harness.network.presets import Conditions
from tests.peer.pairs import until

SLOW = Conditions("slow", up=Impairment(delay_ms=40), down=Impairment(delay_ms=20))


async def test_a_clear_link_passes_on_at_once() -> None:
    link, came = Link("seed"), list[str]()
    link.outgoing(100, partial(came.append, "up"))
    link.incoming(100, partial(came.append, "down"))
    assert came == ["up", "down"]


async def test_each_direction_has_its_own_delay_and_one_timer_serves_both() -> None:
    link, came = Link("seed"), list[tuple[str, float]]()
    link.impair(SLOW)
    loop = asyncio.get_running_loop()
    began = loop.time()
    link.incoming(100, lambda: came.append(("down", loop.time() - began)))
    link.outgoing(100, lambda: came.append(("up", loop.time() - began)))
    assert not came
    before = asyncio.all_tasks()
    await until(lambda: len(came) == 2)
    assert [name for name, _ in came] == ["down", "up"]
    assert came[0][1] >= 0.019
    assert came[1][1] >= 0.039
    assert asyncio.all_tasks() == before
    assert link.counted("up").delay_ms == pytest.approx(40)


async def test_a_blackout_loses_both_directions_and_ends_by_itself() -> None:
    link, came = Link("seed"), list[int]()
    link.blackout(0.5)  # far more than the lines below may be interrupted for
    assert link.dark_for > 0
    for number in range(3):
        link.outgoing(100, partial(came.append, number))
        link.incoming(100, partial(came.append, number))
    assert not came
    await until(lambda: link.dark_for == 0)
    link.outgoing(100, partial(came.append, 7))
    assert came == [7]
    assert (link.counted("up").lost, link.counted("down").lost) == (3, 3)


async def test_what_was_sent_before_a_change_still_arrives() -> None:
    link, came = Link("seed"), list[str]()
    link.impair(SLOW)
    link.outgoing(100, partial(came.append, "slow"))
    link.impair(Conditions("cut", up=Impairment(loss=1)))
    link.outgoing(100, partial(came.append, "lost"))
    await until(lambda: came)
    assert came == ["slow"]
    assert link.counted("up").packets == 2


async def test_a_closing_socket_has_its_goodbye_sent_in_order_and_gets_nothing_more() -> None:
    link, came = Link("seed"), list[int]()
    link.impair(SLOW)
    for number in range(5):
        link.outgoing(100, partial(came.append, number))
    link.incoming(100, partial(came.append, 99))
    link.flush()
    assert came == [0, 1, 2, 3, 4]
    await asyncio.sleep(0.06)  # longer than every delay: nothing may come late
    assert came == [0, 1, 2, 3, 4]


async def test_a_closed_link_drops_what_is_under_way_and_its_timer() -> None:
    link, came = Link("seed"), list[int]()
    link.impair(SLOW)
    link.outgoing(100, partial(came.append, 1))
    link.close()
    link.close()
    await asyncio.sleep(0.06)  # longer than every delay
    assert not came


async def test_a_seed_repeats_the_fate_of_each_packet() -> None:
    def lost(seed: str) -> list[int]:
        link, came = Link(seed), list[int]()
        link.impair(Conditions("lossy", up=Impairment(loss=0.3)))
        for number in range(200):
            link.outgoing(100, partial(came.append, number))
        return came

    assert lost("7/a call") == lost("7/a call") != lost("8/a call")
