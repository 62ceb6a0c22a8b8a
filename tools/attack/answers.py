"""Answers: SDP, candidates, and the HTTP around them."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import zlib
from collections.abc import Callable, Sequence

import msgspec

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.caller_end import SdpUnusableError
from harness.core.clock import MonotonicClock, RelativeClock
from harness.core.events import AnswerReceived, Event, HttpResponse
from harness.core.sdp import parse_sdp
from harness.peer.answers import check_answer
from harness.peer.remote import Remote
from harness.signaling.exchange import post_offer
from harness.signaling.sending import Sender, new_client
from tests.support.timelines import ANSWER, OFFER, Mode, healthy_events, timeline_of
from tools.attack.kinds import expect, kind
from tools.attack.showing import judged, shown
from tools.attack.values import TEXTS, spoiled_text

KEY = "sk-caller-0123456789abcdef0123"


def _with_answer(answer: str, mode: Mode = "embedded") -> list[Event]:
    """The healthy call, had this been answered."""
    return [
        msgspec.structs.replace(event, sdp=answer)
        if isinstance(event, AnswerReceived)
        else msgspec.structs.replace(event, body=answer)
        if isinstance(event, HttpResponse)
        else event
        for event in healthy_events(mode)
    ]


def _applied(answer: str) -> None:
    parsed = parse_sdp(answer)
    try:
        check_answer(parsed, parse_sdp(OFFER))
        Remote.from_sdp(parsed)
    except SdpUnusableError:
        pass


@kind("answers: spoiled SDP")
def sdp(rng: random.Random) -> int:
    """An answer with some of its lines cut, swapped, repeated, or holding something else."""
    answer = spoiled_text(ANSWER, rng)
    _applied(answer)
    run = judged(timeline_of(_with_answer(answer, rng.choice(("embedded", "black-box", "grey-box")))))
    if rng.random() < 0.1:
        shown(run)
    return 1


@kind("answers: large SDP", within=10.0)
def large_sdp(rng: random.Random) -> int:
    """Thousands of sections, attributes, codecs, groups or lines."""
    number = rng.choice((1000, 5000, 20_000))
    line = rng.choice(
        (
            "a=rtpmap:{n} opus/48000/2",
            "a=fmtp:{n} x=1",
            "a=candidate:{n} 1 udp 1 192.168.7.30 {n} typ host",
            "a=mid:{n}",
            "a=x{n}:{n}",
            "m=audio 9 UDP/TLS/RTP/SAVPF " + "{n}",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
            "m=audio 9 UDP/TLS/RTP/SAVPF " + " ".join(str(n) for n in range(200)),
            "a=fingerprint:sha-256 {n}",
            "a=group:BUNDLE " + " ".join(map(str, range(200))),
            "b=AS:{n}",
            "a=ssrc:{n} cname:x",
        )
    )
    lines = "".join(line.format(n=n) + "\r\n" for n in range(number))[: 1 << 20]
    place = rng.choice(("a=group", "m=audio", "m=application", ""))
    before, found, after = ANSWER.partition(place) if place else (ANSWER, "", "")
    answer = before + lines + found + after
    _applied(answer)
    judged(timeline_of(_with_answer(answer)))
    return 1


@kind("answers: candidates")
def candidates(rng: random.Random) -> int:
    """Candidate lines of any words, up to thousands."""
    addresses = "x.local ::1 0.0.0.0 255.255.255.255 224.0.0.1 fe80::1%eth0 127.0.0.1"
    others = "udp tcp typ host srflx relay 1 2 65536 raddr rport tcptype"
    words = (*TEXTS, *addresses.split(), *others.split())
    good = ["candidate:1", "1", "udp", "2130706431", "192.168.7.30", "3478", "typ", "host"]
    lines = []
    for _ in range(rng.choice((1, 5, 100, 2000))):
        line = list(good)
        for _ in range(rng.randint(1, 3)):
            line[rng.randrange(len(line))] = rng.choice(words)
        lines.append("a=" + " ".join(line).replace("\r", "").replace("\n", ""))
    answer = ANSWER.replace("a=end-of-candidates\r\n", "\r\n".join(lines) + "\r\n")
    _applied(answer)
    judged(timeline_of(_with_answer(answer)))
    return len(lines)


# --- HTTP ---

OK = b"HTTP/1.1 200 OK\r\n"


def _plain(body: bytes, *headers: bytes, status: bytes = OK) -> bytes:
    return status + b"".join(h + b"\r\n" for h in headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _http_modes(rng: random.Random) -> list[bytes]:
    """Forty ways of answering an offer badly."""
    sdp_body = ANSWER.encode()
    kind_header = b"Content-Type: application/sdp"
    odd = rng.choice(TEXTS).encode("utf-8", "surrogatepass").replace(b"\r", b"").replace(b"\n", b"")
    return [
        b"",
        b"\0" * 100,
        b"HTTP/1.1",
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 99 x\r\n\r\n",
        b"HTTP/1.1 1000 x\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + _plain(sdp_body, kind_header),
        b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" * 2000,
        b"HTTP/1.1 204 No\r\n\r\n" + sdp_body,
        b"HTTP/1.1 304 Not\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: " + odd + b"\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 407 Proxy\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        OK + b"Content-Length: 99999999999999999999\r\n\r\nx",
        OK + b"Content-Length: 10\r\n\r\nx",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n",
        OK + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
        OK + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
        OK + b": empty\r\n\r\n",
        OK + b"A B: c\r\n\r\n",
        OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
        OK + b"X: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        _plain(sdp_body, b"Content-Type: " + odd),
        _plain(sdp_body, b"Content-Type: application/sdp; charset=" + odd),
        _plain(sdp_body, b"Set-Cookie: a=b; Domain=" + odd),
        _plain(b"\xff\xfe" * 500, kind_header),
        _plain(b"x" * (2 << 20), kind_header),
        _plain(json.dumps({"sdp": [1]}).encode(), b"Content-Type: application/json"),
        _plain(b"[" * 100_000, b"Content-Type: application/json"),
        _plain(odd, kind_header, status=b"HTTP/1.1 500 " + odd + b"\r\n"),
        _plain(sdp_body, kind_header) + b"HTTP/1.1 500 more\r\n\r\n",
        rng.randbytes(rng.choice((1, 100, 5000))),
        b"\x16\x03\x03\x00\x02\x02\x28",
    ]


def _bombs(rng: random.Random) -> list[bytes]:
    """Bodies that are larger than they look."""
    size = rng.choice((1 << 20, 8 << 20))
    once = gzip.compress(bytes(size), 9)
    twice = gzip.compress(once, 9)
    return [
        _plain(once, b"Content-Encoding: gzip"),
        _plain(twice, b"Content-Encoding: gzip, gzip"),
        _plain(gzip.compress(twice, 9), b"Content-Encoding: gzip, gzip, gzip"),
        _plain(zlib.compress(bytes(size), 9), b"Content-Encoding: deflate"),
        _plain(b"x", b"Content-Encoding: br"),
        _plain(b"x", b"Content-Encoding: zstd"),
        _plain(gzip.compress(ANSWER.encode()), b"Content-Encoding: gzip"),
        _plain(ANSWER.encode(), b"Content-Encoding: identity, x"),
        _plain(ANSWER.encode(), b"Content-Encoding: " + b"gzip, " * 500 + b"gzip"),
        _plain(once[: len(once) // 2], b"content-encoding: GZIP"),
    ]


async def _answer(replies: Sequence[bytes], *, slow: bool) -> None:
    """Each to an offer of its own."""
    waiting = list(replies)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            reply = waiting.pop(0)
            parts = [reply] if not slow else [reply[:10], reply[10:]]
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.01 * slow)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # whoever asked has gone, or the server has been closed
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    target = Target(f"http://127.0.0.1:{port}/offer", dialect="json")
    timeouts = Timeouts(connect=1.0, answer=2.0)
    try:
        async with new_client(target, timeouts) as client:
            for reply in replies:
                timeline = timeline_of(healthy_events("black-box")[:1])
                sender = Sender(
                    client, timeouts, timeline.append, RelativeClock(MonotonicClock()), target.redactor(KEY)
                )
                answer = await post_offer(sender, target, OFFER)
                if answer is not None:
                    expect(
                        len(answer) <= (1 << 20) + (1 << 13), f"{len(answer)} characters of {reply[:80]!r}"
                    )
                    _applied(answer)
                run = judged(timeline)
                shown(run)
    finally:
        server.close()
        await server.wait_closed()


def _attempt(modes: Callable[[random.Random], list[bytes]]) -> Callable[[random.Random], object]:
    async def attempt(rng: random.Random) -> int:
        replies = rng.sample(modes(rng), 5)
        await _answer(replies, slow=rng.random() < 0.3)
        return len(replies)

    return attempt


async def _http(rng: random.Random) -> int:
    """Forty ways of answering an offer badly, and noise."""
    replies = rng.sample(_http_modes(rng), 5)
    await _answer(replies, slow=rng.random() < 0.3)
    return len(replies)


async def _encodings(rng: random.Random) -> int:
    """Bodies that grow when they are decoded, or that are encoded as nobody asked for."""
    replies = rng.sample(_bombs(rng), 3)
    await _answer(replies, slow=False)
    return len(replies)


kind("http: answers", within=30.0)(_http)
kind("http: encodings", within=30.0)(_encodings)
