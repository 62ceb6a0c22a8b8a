from __future__ import annotations

import asyncio

from harness.peer.consent import Consent
from tests.peer.pairs import connected_pair, until
from tests.peer.test_wire import Tap


async def test_consent_that_is_renewed_does_not_expire() -> None:
    expired: list[bool] = []
    loop = asyncio.get_running_loop()
    began = loop.time()
    consent = Consent(lambda: expired.append(True), 0.2)
    while loop.time() - began < 0.5:
        consent.renew()
        await asyncio.sleep(0.02)
    assert not expired
    last = loop.time()
    await until(lambda: expired)
    assert loop.time() - last >= 0.17
    assert expired == [True]


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
