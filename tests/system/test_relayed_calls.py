"""Calls whose every packet goes through a real TURN server: signaling straight, media relayed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
import uvloop
from pydantic import SecretStr

from harness.call import Caller, Scenario
from harness.call.conduct import make_call
from harness.call.context import CallContext
from harness.config.ice import IceServer
from harness.config.ice_options import ice_options
from harness.config.run import RunSettings, run_settings
from harness.core.events import CandidateFound, IceServerTried, PairSelected
from harness.core.timeline import Timeline
from harness.fakes.embedded import EmbeddedOptions, EmbeddedPair
from harness.requirements import REGISTRY, Outcome, judge
from tests.support.coturn import PASSWORD, USERNAME, Coturn
from tests.system.conversations import connects

# A relayed packet passes three processes more; on a busy machine our own lateness is not the question.
LIMITS = {"lateness_p99_ms": 1000.0, "lateness_max_ms": 5000.0, "gap_ms": 2000.0, "jitter_ms": 500.0}


async def converses(caller: Caller) -> None:
    await caller.connect()
    await caller.update_session(instructions="Answer in one sentence.")
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()


@pytest.fixture(scope="module")
def relayed(coturn: Coturn) -> dict[str, Timeline]:
    """One conversation over each transport to the TURN server, side by side."""
    return uvloop.run(_calls(coturn, ["turn_udp", "turn_tcp", "turns"]))


def short_spoken(settings: RunSettings) -> EmbeddedPair:
    return EmbeddedPair(EmbeddedOptions(voice="recorded:en-m-yes", seed=settings.seed))


async def _calls(coturn: Coturn, transports: list[str]) -> dict[str, Timeline]:
    async with CallContext.open(RunSettings(limits=LIMITS), short_spoken) as context:

        async def call(transport: str) -> Timeline:
            server = IceServer((getattr(coturn, transport),), USERNAME, SecretStr(PASSWORD))
            target = replace(
                context.target, ice_servers=(server,), relay_only=True, ice_ca=coturn.certificate.ca
            )
            scenario = Scenario(transport, transport, converses, ())
            record = await make_call(replace(context, target=target), scenario, call=transport)
            return record.timeline

        return dict(zip(transports, await asyncio.gather(*map(call, transports)), strict=True))


@pytest.mark.parametrize("transport", ["turn_udp", "turn_tcp", "turns"])
def test_a_relayed_call_holds_a_whole_conversation(relayed: dict[str, Timeline], transport: str) -> None:
    timeline = relayed[transport]
    verdicts = {v.id: v for v in judge([timeline], REGISTRY)}
    wrong = {
        v.id: (v.cause, v.explanation)
        for v in verdicts.values()
        if v.outcome in (Outcome.FAILED, Outcome.WARNED, Outcome.ERROR, Outcome.BLOCKED)
    }
    assert wrong == {}
    for judged in ("connectivity.gathering", "turns.speech-detected", "audio.comes-back"):
        assert verdicts[judged].outcome == Outcome.PASSED
    assert {candidate.type for candidate in timeline.all(CandidateFound)} == {"relay"}
    pair = timeline.first(PairSelected)
    assert pair is not None
    assert pair.local.startswith("relay ")
    tried = timeline.all(IceServerTried)
    assert [server.error for server in tried] == [""]
    assert tried[0].gave == (pair.local,)


def test_the_credential_is_not_in_the_timeline(relayed: dict[str, Timeline]) -> None:
    for timeline in relayed.values():
        assert PASSWORD not in timeline.to_jsonl()


async def test_a_call_relays_by_servers_that_it_was_told_of_over_http(coturn: Coturn) -> None:
    """As a page is, by its back end: the list holds one server that is dead, and a TURN server."""
    listed = {
        "iceServers": [
            {"urls": "turn:127.0.0.1:9?transport=tcp", "username": USERNAME, "credential": PASSWORD},
            {"urls": [coturn.turn_udp], "username": USERNAME, "credential": PASSWORD},
        ]
    }

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps(listed).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(tell, "127.0.0.1", 0) as back_end:
        url = f"http://127.0.0.1:{back_end.sockets[0].getsockname()[1]}/ice"
        settings = run_settings(ice=ice_options(servers_from=url, policy="relay"))
        async with CallContext.open(settings, short_spoken) as context:
            record = await make_call(context, Scenario("told", "told", connects, ()), call="told")
    timeline = record.timeline
    assert [server.error for server in timeline.all(IceServerTried)] == [
        "unreachable: Connection refused",
        "",
    ]
    assert [candidate.type for candidate in timeline.all(CandidateFound)] == ["relay"]
    assert timeline.state("channel", "open") is not None
    assert PASSWORD not in timeline.to_jsonl()
    # One dead server of two is told of, and does not stand in the way.
    found = {v.id: v.cause for v in judge([timeline], REGISTRY) if v.outcome == Outcome.WARNED}
    assert found == {"connectivity.gathering": "stun-unreachable"}
