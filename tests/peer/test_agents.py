"""A caller as a browser is one, at an end as OpenAI's server is one, with the times compressed."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable

import pytest
from aioice.ice import CandidatePair, Connection
from aioice.stun import Class, Message, Method, parse_message

from harness.core.sdp import parse_sdp
from harness.fakes.openai.media.answer import write_answer
from harness.peer import transport
from harness.peer.agents import FullAgent
from harness.peer.consent import ConsentTimes
from tests.peer.pairs import End, connected_pair, negotiate, new_end, until
from tests.peer.test_wire import Tap

IMPATIENT = {"lite": True, "patience": 0.1}


@pytest.fixture
def quick_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "RFC_7675", ConsentTimes(check=0.03, expiry=1.0))


@pytest.fixture
def checks_as_aioice_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def build_request(agent: FullAgent, pair: CandidatePair, nominate: bool) -> Message:
        return Connection.build_request(agent, pair, nominate and not agent._nominated)

    monkeypatch.setattr(FullAgent, "build_request", build_request)


def failures(end: End) -> list[str]:
    return [detail for layer, state, detail in end.states if (layer, state) == ("ice", "failed")]


@pytest.mark.usefixtures("quick_consent")
async def test_our_checks_are_answered_long_after_the_patience_of_a_lite_server_has_ended() -> None:
    async with connected_pair(IMPATIENT) as (caller, callee, channel):
        await until(lambda: callee.transport.checks.replied > 60, within=20.0)  # 1.8 s at the least
        assert callee.transport.checks.received == callee.transport.checks.replied
        assert not failures(caller)
        assert not failures(callee)
        assert channel.state == "open"


@pytest.mark.usefixtures("quick_consent", "checks_as_aioice_makes_them")
async def test_a_caller_whose_checks_lack_use_candidate_loses_the_call_there() -> None:
    async with connected_pair(IMPATIENT) as (caller, callee, _channel):
        await until(lambda: failures(caller), within=20.0)
        assert failures(caller) == ["no check was answered for 1 s (RFC 7675)"]
        assert callee.transport.checks.received > callee.transport.checks.replied > 0


@pytest.mark.usefixtures("quick_consent", "checks_as_aioice_makes_them")
async def test_a_patient_lite_server_answers_that_caller_too() -> None:
    async with connected_pair({"lite": True}) as (caller, callee, _channel):
        await until(lambda: callee.transport.checks.replied > 60, within=20.0)
        assert not failures(caller)


@pytest.mark.usefixtures("quick_consent")
async def test_a_lite_server_lets_go_of_a_caller_from_whom_no_check_comes_any_more() -> None:
    async with connected_pair(IMPATIENT) as (caller, callee, _channel):
        caller.transport.block()
        await until(lambda: failures(callee), within=20.0)
        assert failures(callee) == ["no check came for 1 s (RFC 7675)"]


class Late(Tap):
    """A network, or a machine, on which an answer takes longer than aioice waits for one."""

    def incoming(self, size: int, pass_on: Callable[[], object]) -> None:
        self.came += size > 0
        asyncio.get_running_loop().call_later(0.7, pass_on)


async def test_an_answer_that_comes_late_renews_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "RFC_7675", ConsentTimes(check=0.1, expiry=1.5))
    async with connected_pair(IMPATIENT) as (caller, callee, _channel):
        caller.transport.put_behind(Late())
        await until(lambda: callee.transport.checks.replied > 30, within=20.0)  # 3 s
        assert not failures(caller)


async def test_a_lite_end_says_so_in_its_session_lines_and_sends_no_checks() -> None:
    async with connected_pair(IMPATIENT) as (caller, callee, _channel):
        offer = parse_sdp("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n")
        assert parse_sdp(write_answer(offer, callee.transport, ssrc=1)).ice_lite
        assert not parse_sdp(write_answer(offer, caller.transport, ssrc=1)).ice_lite
        assert callee.transport.checks.sent == 0
        assert callee.transport.checks.replied > 0


@pytest.mark.parametrize("told", [True, False], ids=["told of it", "not told of it"])
async def test_a_caller_that_thought_it_was_controlled_takes_control_of_a_lite_end(told: bool) -> None:
    """By a=ice-lite (RFC 8445, section 6.1.1), or by the 487 of section 7.3.1.1."""
    caller, callee = new_end(controlling=False), new_end(controlling=False, lite=True)
    of_callee, of_caller = await negotiate(caller, callee)
    connected = await asyncio.gather(
        caller.transport.start_ice(dataclasses.replace(of_callee, ice_lite=told), within=10.0),
        callee.transport.start_ice(of_caller, within=10.0),
    )
    assert all(connected)
    assert caller.transport.checks.refused == (0 if told else 1)
    await caller.transport.close()
    await callee.transport.close()


async def test_a_lite_end_follows_a_caller_to_a_new_port() -> None:
    async with connected_pair(IMPATIENT) as (caller, callee, channel):
        before = callee.transport.selected_pair
        assert await caller.transport.rebind()
        assert before is not None
        assert callee.transport.selected_pair is not None
        assert before[1].startswith("host ")
        assert callee.transport.selected_pair[1].startswith("prflx ")
        callee.channels[0].send("still here")
        got: list[str | bytes] = []
        channel.on_message = got.append
        await until(lambda: got == ["still here"])


class Answers(asyncio.DatagramProtocol):
    """What comes back to a hand-made check."""

    def __init__(self) -> None:
        self.got: list[Message] = []

    def datagram_received(self, data: bytes, _addr: object) -> None:
        self.got.append(parse_message(data))


async def test_a_check_with_the_wrong_password_nominates_nothing() -> None:
    end = new_end(controlling=False, lite=True)
    await end.transport.gather()
    address = end.transport.candidates[0]
    loop = asyncio.get_running_loop()
    sending, answers = await loop.create_datagram_endpoint(
        Answers, remote_addr=(address.address, address.port)
    )
    for key in ("w" * 24, end.transport.pwd):
        check = Message(message_method=Method.BINDING, message_class=Class.REQUEST)
        check.attributes |= {"USERNAME": f"{end.transport.ufrag}:them", "USE-CANDIDATE": None}
        check.add_message_integrity(key.encode())
        sending.sendto(bytes(check))
    await until(lambda: len(answers.got) == 2)
    sending.close()
    assert [answer.error_code for answer in answers.got] == [401, None]
    await end.transport.close()
