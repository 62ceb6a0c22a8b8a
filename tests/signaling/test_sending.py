"""Real sockets: what a server does to a connection, and what the timeline says of it."""

import asyncio
import base64
import contextlib
import socket
from dataclasses import replace

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.clock import ManualClock
from harness.core.errors import HarnessError
from harness.core.events import HttpFailed, HttpRequest, HttpResponse, SecretSeen
from harness.core.redaction import Redactor
from harness.signaling.exchange import post_offer
from harness.signaling.sending import LARGEST_BODY, Sender, new_client
from tests.signaling.conftest import ANSWER, OFFER, URL, Bench, OpenBench, read_request, tcp_server

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
SOON = Timeouts(answer=0.5)


def failure(bench: Bench) -> HttpFailed:
    failed = bench.timeline.first(HttpFailed)
    assert failed is not None, list(bench.timeline)
    return failed


async def offer_to(bench: Bench) -> str | None:
    return await post_offer(bench.sender, bench.target, OFFER)


async def test_a_port_where_nobody_listens_is_refused(open_bench: OpenBench, closed_port: int) -> None:
    async with open_bench(f"http://127.0.0.1:{closed_port}/") as bench:
        assert await offer_to(bench) is None
    assert failure(bench).failure == "refused"
    assert str(closed_port) in failure(bench).detail


async def test_a_name_that_nobody_has_is_unresolved(open_bench: OpenBench) -> None:
    async with open_bench("http://relay.invalid/") as bench:
        bench.client = httpx.AsyncClient(trust_env=False, timeout=SOON.answer)
        async with bench.client:
            assert await offer_to(bench) is None
    assert failure(bench).failure in (
        "unresolved",
        "unanswered",
    )  # a resolver that is cut off answers nothing


async def test_a_relay_that_hangs_is_given_up_at_the_time_out(open_bench: OpenBench) -> None:
    async def hang(reader: Reader, _writer: Writer) -> None:
        await reader.read(-1)

    async with tcp_server(hang) as url, open_bench(url, timeouts=SOON) as bench:
        assert await offer_to(bench) is None
    assert failure(bench).failure == "timeout"
    assert failure(bench).detail == "no whole response within 0.5 s"


async def test_a_relay_that_trickles_is_given_up_at_the_same_time_out(open_bench: OpenBench) -> None:
    """A time-out for each read alone would let one byte a second go on for ever."""

    async def trickle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"v")
                await writer.drain()
                await asyncio.sleep(0.05)

    async with tcp_server(trickle) as url, open_bench(url, timeouts=SOON) as bench:
        assert await offer_to(bench) is None
    assert failure(bench).failure == "unfinished"
    assert failure(bench).detail.startswith("status 200 came, but not its whole body")


async def test_a_target_whose_headers_never_end_was_reached_and_hangs(open_bench: OpenBench) -> None:
    async def trickle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"X-More: v\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)

    async with tcp_server(trickle) as url, open_bench(url, timeouts=SOON) as bench:
        assert await offer_to(bench) is None
    assert failure(bench).failure == "timeout"


async def test_a_target_that_accepts_and_shakes_no_hands_was_reached_and_hangs(open_bench: OpenBench) -> None:
    async def hang(reader: Reader, _writer: Writer) -> None:
        await reader.read(-1)

    soon = replace(SOON, connect=0.3)
    async with (
        tcp_server(hang) as url,
        open_bench(url.replace("http:", "https:"), timeouts=soon) as bench,
    ):
        assert await offer_to(bench) is None
    assert failure(bench).failure == "timeout"
    assert failure(bench).detail == "the connection was accepted, and no TLS handshake came within 0.3 s"


async def test_a_connection_that_nobody_accepts_is_unanswered(open_bench: OpenBench) -> None:
    """A listener whose queue is full drops what comes."""
    with socket.socket() as full, socket.socket() as first:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        first.connect(full.getsockname())
        soon = replace(SOON, connect=0.3)
        async with open_bench(f"http://127.0.0.1:{full.getsockname()[1]}/", timeouts=soon) as bench:
            assert await offer_to(bench) is None
    assert failure(bench).failure == "unanswered"
    assert failure(bench).detail == "no connection within 0.3 s"


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nv=0\r\n"]
)
async def test_a_connection_closed_early_is_dropped(open_bench: OpenBench, sent: bytes) -> None:
    async def drop(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(sent)
        await writer.drain()

    async with tcp_server(drop) as url, open_bench(url) as bench:
        assert await offer_to(bench) is None
    assert failure(bench).failure == "dropped"
    assert bench.timeline.first(HttpResponse) is None


@pytest.mark.parametrize(
    "sent", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
async def test_what_is_no_http_is_a_protocol_failure(open_bench: OpenBench, sent: bytes) -> None:
    async def talk(reader: Reader, writer: Writer) -> None:
        writer.write(sent)
        await writer.drain()
        await reader.read(-1)

    async with tcp_server(talk) as url, open_bench(url) as bench:
        assert await offer_to(bench) is None
    assert failure(bench).failure == "protocol"


async def test_a_server_that_speaks_no_tls_is_a_tls_failure(open_bench: OpenBench) -> None:
    async def talk(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with tcp_server(talk) as url, open_bench(url.replace("http:", "https:")) as bench:
        assert await offer_to(bench) is None
    assert failure(bench).failure == "tls"


async def test_an_endless_body_is_read_no_further_than_is_of_use(open_bench: OpenBench) -> None:
    async def pour(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x" * 65536)
                await writer.drain()

    async with tcp_server(pour) as url, open_bench(url) as bench:
        assert await offer_to(bench) is not None
    response = bench.timeline.first(HttpResponse)
    assert response is not None
    assert response.body == "x" * LARGEST_BODY + f"\n[cut after {LARGEST_BODY} bytes]"


async def test_each_request_comes_on_a_connection_of_its_own(open_bench: OpenBench) -> None:
    """One that is kept may be closed by the relay just as the next offer is sent: a false alarm."""
    connections = []

    async def serve(reader: Reader, writer: Writer) -> None:
        connections.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                await read_request(reader)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with tcp_server(serve) as url, open_bench(url) as bench:
        await offer_to(bench)
        await offer_to(bench)
    assert len(connections) == 2


async def test_cancelling_leaves_no_connection_open(open_bench: OpenBench) -> None:
    arrived, closed = asyncio.Event(), asyncio.Event()

    async def hang(reader: Reader, _writer: Writer) -> None:
        await read_request(reader)
        arrived.set()
        await reader.read(1)
        closed.set()

    async with tcp_server(hang) as url, open_bench(url) as bench:
        task = asyncio.ensure_future(offer_to(bench))
        async with asyncio.timeout(5):
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await closed.wait()
    assert [type(event) for event in bench.timeline] == [HttpRequest]


@respx.mock
async def test_a_body_that_is_no_text_is_recorded_byte_for_byte(open_bench: OpenBench) -> None:
    respx.post(URL).mock(return_value=httpx.Response(200, content=b"\xff\x00v=0"))
    async with open_bench() as bench:
        await offer_to(bench)
    response = bench.timeline.first(HttpResponse)
    assert response is not None
    assert response.body_base64
    assert base64.b64decode(response.body) == b"\xff\x00v=0"


@respx.mock
async def test_a_leaked_key_is_seen_and_not_repeated(open_bench: OpenBench) -> None:
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz"
    respx.post(URL).mock(return_value=httpx.Response(500, text=f"bad key {key}", headers={"X-Debug": key}))
    async with open_bench() as bench:
        await offer_to(bench)
    seen = bench.timeline.all(SecretSeen)
    assert [event.where for event in seen] == ["response header x-debug", "response body"]
    assert all("sk-[redacted]" in event.excerpt for event in seen)
    assert "abcdefgh" not in bench.timeline.to_jsonl()


@respx.mock
async def test_an_answer_without_keys_shows_no_secret(open_bench: OpenBench) -> None:
    respx.post(URL).mock(return_value=httpx.Response(200, text=ANSWER))
    async with open_bench() as bench:
        await offer_to(bench)
    assert bench.timeline.first(SecretSeen) is None


async def test_a_header_that_cannot_be_written_is_our_error_and_shows_no_secret() -> None:
    target = Target(URL)
    async with new_client(target, Timeouts()) as client:
        request = client.build_request("POST", URL, headers={"X-Device": "secret-1\r\nHost: evil"})
        sender = Sender(client, Timeouts(), lambda _: None, ManualClock(), Redactor(["secret-1"]))
        async with tcp_server(_ignore) as url:
            request.url = httpx.URL(url)
            with pytest.raises(HarnessError, match="cannot be written") as broken:
                await sender.send(request, purpose="offer")
    assert "secret-1" not in str(broken.value)
    assert broken.value.__cause__ is None


async def _ignore(reader: Reader, _writer: Writer) -> None:
    await reader.read(-1)


async def test_the_environments_proxy_is_used_for_targets_elsewhere_but_not_on_loopback(
    monkeypatch: pytest.MonkeyPatch, open_bench: OpenBench
) -> None:
    asked = []

    async def proxy(reader: Reader, writer: Writer) -> None:
        head, _ = await read_request(reader)
        asked.append(head.split(b"\r\n")[0])
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async def relay(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with tcp_server(proxy) as proxy_url, tcp_server(relay) as relay_url:
        monkeypatch.setenv("HTTP_PROXY", proxy_url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with open_bench(relay_url) as bench:
            assert await offer_to(bench) == ""
        async with open_bench("http://relay.example.com/session") as bench:
            assert await offer_to(bench) is None
    assert asked == [b"POST http://relay.example.com/session HTTP/1.1"]


UNUSED = httpx.AsyncClient()
bodies = st.binary(max_size=60) | st.text(max_size=30).map(str.encode)


@given(before=bodies, after=bodies, secret=st.text(st.characters(codec="utf-8"), min_size=6, max_size=20))
def test_no_secret_survives_in_a_recorded_body(before: bytes, after: bytes, secret: str) -> None:
    sender = Sender(UNUSED, Timeouts(), lambda _: None, ManualClock(), Redactor([secret]))
    text, is_base64 = sender._body(before + secret.encode() + after)
    recorded = base64.b64decode(text) if is_base64 else text.encode()
    assert secret.encode() not in recorded or secret in "[redacted]"
