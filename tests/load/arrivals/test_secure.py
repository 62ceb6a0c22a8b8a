"""Offers over TLS and over HTTP/2, kept connections or new ones, against servers that are not ours."""

from __future__ import annotations

import asyncio
import random
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from harness.config.target import Target
from harness.config.timeouts import Timeouts
from harness.core.clock import MonotonicClock
from harness.core.errors import UsageError
from harness.load.arrivals.arriving import Arriving, Tally
from harness.load.arrivals.offers import PreparedOffers
from harness.load.arrivals.sending import open_posting
from tests.load.arrivals.test_arriving import ANSWER
from tests.support.certificates import TestCertificate, make_certificate
from tests.support.programs import ending_with_us, needs_program
from tests.support.serving import first_line_of

PROGRAM = Path(__file__).with_name("http2_server.mjs")
OFFERS = 30
UNTRUSTED = (
    "signaling.offer-accepted: the certificate is not trusted: unable to get local issuer certificate "
    "(an authority of your own is named by SSL_CERT_FILE)"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> TestCertificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: TestCertificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a company's own authority is given: by the environment."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.ca))


@asynccontextmanager
async def secure_relay(certificate: TestCertificate) -> AsyncIterator[tuple[str, list[int]]]:
    """HTTP/1.1 over TLS: its URL, and a list with an entry for each connection."""
    connections: list[int] = []
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        connections.append(1)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
                await reader.readexactly(int(length))
                served += 1
                answer = ANSWER.format(name=f"{served:08d}").encode()
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.certificate, certificate.key)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}/offer", connections


@contextmanager
def http2_relay(certificate: TestCertificate | None = None) -> Iterator[str]:
    files = [str(certificate.key), str(certificate.certificate)] if certificate else []
    with first_line_of([needs_program("node"), str(PROGRAM), *files]) as port:
        yield f"{'https' if certificate else 'http'}://localhost:{port}/offer"


async def sent(url: str, *, keep_alive: bool = True, http2: bool = False) -> Tally:
    """What came of offers one after the other, a hundredth of a second apart."""
    async with AsyncExitStack() as stack:
        target = Target(url, dialect="sdp")
        posting = await open_posting(stack, target, Timeouts(), keep_alive=keep_alive, http2=http2)
        offers = PreparedOffers("chromium", random.Random(1))
        load = Arriving(target, posting, offers, MonotonicClock(), lambda *_: None)
        await load.offer([0.0], 0.0)  # a connection is there
        return await load.offer([0.01 * n for n in range(OFFERS)], 0.0)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("keep_alive", [True, False])
async def test_over_tls_connections_are_kept_or_made_anew(
    certificate: TestCertificate, keep_alive: bool
) -> None:
    async with secure_relay(certificate) as (url, connections):
        tally = await sent(url, keep_alive=keep_alive)
    assert (len(tally.seconds), tally.failures.total()) == (OFFERS, 0)
    if keep_alive:  # as many as waited at a time
        assert len(connections) <= max(1, tally.most_waiting)
    else:
        assert len(connections) == 1 + OFFERS


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("secure", [True, False])
async def test_over_http2_all_offers_share_one_connection(certificate: TestCertificate, secure: bool) -> None:
    with http2_relay(certificate if secure else None) as url:
        tally = await sent(url, http2=True)
        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=certificate.ca) if secure else True
        async with httpx.AsyncClient(http1=False, http2=True, verify=verify, trust_env=False) as client:
            seen = (await client.get(url)).json()
    assert (len(tally.seconds), tally.failures.total()) == (OFFERS, 0), tally.failures
    assert tally.statuses == {201: OFFERS}
    assert seen == {"offers": 1 + OFFERS, "connections": 2}, "the second asked for this"


@pytest.mark.parametrize("http2", [True, False])
async def test_a_certificate_that_is_not_trusted_is_a_failure_in_words(
    certificate: TestCertificate, http2: bool
) -> None:
    async with secure_relay(certificate) as (url, _):
        tally = await sent(url, http2=http2)
    assert {failure for _, failure in tally.failures} == {UNTRUSTED}


async def test_a_name_that_the_certificate_has_not_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = make_certificate(tmp_path, ["relay.example.com"])
    monkeypatch.setenv("SSL_CERT_FILE", str(elsewhere.ca))
    async with secure_relay(elsewhere) as (url, _):
        tally = await sent(url)
    assert {failure for _, failure in tally.failures} == {
        "signaling.offer-accepted: the certificate is not trusted: "
        "Hostname mismatch, certificate is not valid for 'localhost'"
    }


async def test_what_speaks_no_tls_is_told_so() -> None:
    with http2_relay() as url:
        tally = await sent(url.replace("http:", "https:"))
    assert all("signaling.offer-accepted: " in failure for _, failure in tally.failures)
    assert {failure.partition(": ")[2] for _, failure in tally.failures} <= {
        "no TLS: wrong version number",
        "no TLS: record layer failure",
        "the connection was cut",
    }


async def test_a_file_of_certificates_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "nowhere.pem")
    for http2 in (True, False):
        with pytest.raises(UsageError, match="the environment's certificates cannot be used: No such file"):
            await sent("https://localhost:9/offer", http2=http2)


async def test_a_soak_of_a_target_that_is_not_trusted_ends_with_one_line(
    certificate: TestCertificate, tmp_path: Path
) -> None:
    async with secure_relay(certificate) as (url, _):
        process = await asyncio.create_subprocess_exec(
            *ending_with_us([sys.executable, "-m", "harness", "soak", url, "--arrivals", "--dialect=sdp"]),
            f"--reports={tmp_path}",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 100)
    assert (process.returncode, err) == (1, b""), out
    assert f"the first offer failed with {UNTRUSTED}" in out.decode()
