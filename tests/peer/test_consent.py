from __future__ import annotations

import asyncio

import pytest

from harness.core.clock import ManualClock
from harness.peer.consent import Consent
from tests.peer.pairs import connected_pair, until
from tests.peer.test_wire import Tap


class HandMovedLoop(asyncio.SelectorEventLoop):
    """Its clock is moved by hand, so that no interruption of the test can let a consent expire."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = ManualClock()

    def time(self) -> float:
        return self._clock.now()

    async def passes(self, seconds: float) -> None:
        """What is due by then is done when this returns."""
        self._clock.advance(seconds)
        for _ in range(2):
            await asyncio.sleep(0)


async def expiries_of_a_renewed_consent() -> list[float]:
    """Renewed for half a second, five times as long as it lasts, and then no more."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HandMovedLoop)
    expired: list[float] = []
    consent = Consent(lambda: expired.append(loop.time()), 0.1)
    for _ in range(25):
        await loop.passes(0.02)
        consent.renew()
    assert not expired
    for _ in range(50):
        await loop.passes(0.01)
    return expired


def test_consent_that_is_renewed_does_not_expire_and_then_does_so_once() -> None:
    with asyncio.Runner(loop_factory=HandMovedLoop) as runner:
        assert runner.run(expiries_of_a_renewed_consent()) == [pytest.approx(0.6, abs=0.011)]


async def test_consent_that_is_stopped_expires_no_more() -> None:
    expired: list[bool] = []
    consent = Consent(lambda: expired.append(True), 0.05)
    consent.stop()
    consent.stop()
    await asyncio.sleep(0.12)  # longer than it had
    assert not expired


async def test_a_transport_without_consent_fails_and_falls_silent() -> None:
    """Sooner than after 30 s, by asking for the end."""
    async with connected_pair() as (caller, callee, channel):
        wire = Tap()
        caller.transport.put_behind(wire)
        caller.transport._consent_expired()
        await until(lambda: caller.saw("dtls", "closed"))
        failures = [detail for layer, state, detail in caller.states if (layer, state) == ("ice", "failed")]
        assert failures == ["no check was answered for 30 s (RFC 7675)"]
        sent = wire.out
        assert caller.transport.send_rtp(bytes(20)) is False
        assert wire.out == sent
        assert not callee.saw("dtls", "closed")  # nothing told the other end
        assert channel.state in ("open", "closing", "closed")


async def test_every_answered_check_renews_consent() -> None:
    async with connected_pair() as (caller, _callee, _channel):
        consent = caller.transport._consent
        assert consent is not None
        before = consent._renewed_at
        await asyncio.sleep(0.02)
        assert await caller.transport.rebind()  # sends a check
        assert consent._renewed_at > before
