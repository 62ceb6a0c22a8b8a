"""Which process a request is for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.fakes.openai.workers.routing import Destination, WorkerIds, destination, worker_of

ANY = Destination()
MANAGEMENT = Destination(management=True)
CALL = Destination(call_id="rtc_1")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("POST /v1/realtime/calls HTTP/1.1", ANY),
        ("POST /v1/realtime/calls?model=x&call_id=rtc_1 HTTP/1.1", ANY),
        ("POST /v1/realtime/calls/rtc_1/hangup HTTP/1.1", CALL),
        ("POST /v1/realtime/calls/rtc%5F1/refer?x=1 HTTP/1.1", CALL),
        ("POST /v1/live/sessions/rtc_1/hangup HTTP/1.1", CALL),
        ("GET /v1/realtime?model=m&call_id=rtc_1 HTTP/1.1", CALL),
        ("GET /v1/realtime?call_id=rtc_0&call_id=rtc_1 HTTP/1.1", CALL),
        ("GET /v1/realtime?model=m HTTP/1.1", ANY),
        ("POST /v1/realtime/client_secrets HTTP/1.1", ANY),
        ("GET /_fake/calls?ufrag=a HTTP/1.1", MANAGEMENT),
        ("GET /_fake HTTP/1.1", MANAGEMENT),
        ("GET /%5Ffake/calls HTTP/1.1", MANAGEMENT),
        ("GET /_fakes HTTP/1.1", ANY),
        ("GET /v1/_fake/calls HTTP/1.1", ANY),
        ("hello", ANY),
        ("", ANY),
    ],
)
def test_the_first_line_tells(line: str, expected: Destination) -> None:
    """Whatever follows it, and however it ends."""
    for rest in ("\r\nGET /_fake/calls HTTP/1.1\r\n", "\n", ""):
        assert destination((line + rest).encode()) == expected


@given(st.binary(max_size=300))
def test_no_bytes_are_too_odd(head: bytes) -> None:
    """A worker answers what is no HTTP."""
    destination(head)
    destination(b"GET /" + head)


@given(st.integers(), st.integers(1, 64), st.data())
def test_a_calls_id_tells_whose_it_is(seed: int, workers: int, data: st.DataObject) -> None:
    """And looks like any other; other ids are left as they come."""
    index = data.draw(st.integers(0, workers - 1))
    ids = WorkerIds(seed, index, workers)
    made = ids.new("rtc")
    assert worker_of(made, workers) == index
    assert re.fullmatch(r"rtc_[0-9A-Za-z]{21}", made)
    assert re.fullmatch(r"ek_[0-9A-Za-z]{21}", ids.new("ek"))
    assert WorkerIds(seed, index, workers).new("rtc") == made


def test_two_workers_never_make_one_id() -> None:
    """Though they have one seed."""
    first, second = (WorkerIds(7, index, 2) for index in range(2))
    assert not {first.new("ek") for _ in range(50)} & {second.new("ek") for _ in range(50)}
