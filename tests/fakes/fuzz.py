"""Malformed input for the fake, seeded; a few hundred in the suite, all with `python -m tests.fakes.fuzz`.

Bodies over HTTP, offers with broken lines, and messages on a live data channel. Whatever comes: no 5xx,
no hang, and neither memory nor open calls nor file descriptors grow.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fakes.callers import BEARER, CALLS, Caller, Served, calling, quick, serving, until

WITHIN = 10.0  # seconds for one request: anything longer is a hang
CALLS_AT_ONCE = 20

PATHS = (
    CALLS,
    "/v1/live/sessions",
    "/v1/realtime/client_secrets",
    f"{CALLS}/rtc_x/hangup",
    f"{CALLS}/rtc_x/refer",
    "/v1/realtime",
)
TYPES = (
    "application/sdp",
    "application/json",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "text/plain",
    "",
    'multipart/form-data; boundary="',
)
JUNK = ("", "\0", "-1", "99999999999999999999", "é😀", "a" * 5000, "%s%n", "NaN", "[::1]", "..", "\t", "{}")


@dataclass
class Outcome:
    """What came of a run of the fuzzer."""

    sent: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    replies: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    growth_kib: int = 0
    descriptors: int = 0


def mutated(text: str, rng: random.Random) -> bytes:
    """The text with one to five things wrong."""
    data = text
    for _ in range(rng.randint(1, 5)):
        data = rng.choice(MUTATIONS)(data, rng)
    raw = data.encode("utf-8", "surrogatepass")
    if rng.random() < 0.2 and raw:
        at = rng.randrange(len(raw))
        raw = raw[:at] + rng.randbytes(rng.randint(1, 40)) + raw[at:]
    return raw


def _lines(change: Callable[[list[str], random.Random], None]) -> Callable[[str, random.Random], str]:
    def apply(text: str, rng: random.Random) -> str:
        lines = text.splitlines(keepends=True)
        if lines:
            change(lines, rng)
        return "".join(lines)

    return apply


def _drop(lines: list[str], rng: random.Random) -> None:
    del lines[rng.randrange(len(lines))]


def _repeat(lines: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(lines))
    lines[at:at] = [lines[at]] * rng.choice((1, 2, 50))


def _swap(lines: list[str], rng: random.Random) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _junk_word(lines: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(lines))
    words = lines[at].split(" ")
    words[rng.randrange(len(words))] = rng.choice(JUNK)
    lines[at] = " ".join(words)


def _junk_value(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(JUNK) + text[at + rng.randint(0, 8) :]


def _cut(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


MUTATIONS = (_lines(_drop), _lines(_repeat), _lines(_swap), _lines(_junk_word), _junk_value, _cut)

SESSION = json.dumps(
    {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 0.5}}}}
)
EVENTS = tuple(
    json.dumps(event)
    for event in (
        {"type": "session.update", "session": json.loads(SESSION)},
        {"type": "input_audio_buffer.append", "audio": "AAAA"},
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": []}},
        {"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, "audio_end_ms": 1},
        {"type": "response.create", "response": {"tools": [], "metadata": {"a": "b"}}},
        {"type": "response.cancel"},
        {"type": "input_audio_buffer.commit"},
    )
)


def request(offer: str, rng: random.Random) -> dict[str, Any]:
    """One request with something wrong in it."""
    kind = rng.random()
    headers = dict(BEARER)
    if kind < 0.4:
        headers["content-type"] = "application/sdp"
        return {"path": CALLS, "content": mutated(offer, rng), "headers": headers}
    if kind < 0.7:
        form = (
            f'--b\r\nContent-Disposition: form-data; name="sdp"\r\n\r\n{offer}\r\n'
            f'--b\r\nContent-Disposition: form-data; name="session"\r\n\r\n{SESSION}\r\n--b--\r\n'
        )
        headers["content-type"] = "multipart/form-data; boundary=b"
        return {"path": CALLS, "content": mutated(form, rng), "headers": headers}
    live = json.dumps({"session": {"model": "m"}, "transport": {"type": "webrtc", "sdp": offer}})
    body = mutated(rng.choice((live, SESSION, offer, *EVENTS)), rng)
    headers["content-type"] = rng.choice(TYPES)
    return {"path": rng.choice(PATHS), "content": body, "headers": headers}


async def fuzz_http(served: Served, offer: str, count: int, rng: random.Random, outcome: Outcome) -> None:
    """`count` requests to the app itself, so that only the app takes time."""
    transport = httpx.ASGITransport(served.fake.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://fake.test") as client:
        for number in range(count):
            asked = request(offer, rng)
            async with asyncio.timeout(WITHIN):
                response = await client.post(
                    asked["path"], content=asked["content"], headers=asked["headers"]
                )
            outcome.sent += 1
            outcome.statuses[response.status_code] = outcome.statuses.get(response.status_code, 0) + 1
            if response.status_code >= 500:
                outcome.wrong.append(f"{response.status_code} for {asked!r}")
            if number % CALLS_AT_ONCE == 0:
                await served.fake.calls.end_all("fuzz")
    await served.fake.calls.end_all("fuzz")


async def fuzz_channel(served: Served, count: int, rng: random.Random, outcome: Outcome) -> None:
    """`count` messages on one data channel; the conversation must live on after them."""
    async with calling(served) as caller:
        await caller.event("session.created")
        for number in range(count):
            message = mutated(rng.choice(EVENTS), rng)[:60_000]
            caller.peer.send_raw(message.decode("utf-8", "replace"))
            outcome.sent += 1
            if number % 100 == 99:
                await _answered(caller, f"ping-{number}")
        await _answered(caller, "the-end")
        for event in caller.timeline.server_events():
            outcome.replies[event.type] = outcome.replies.get(event.type, 0) + 1


async def _answered(caller: Caller, event_id: str) -> None:
    """An event that must be refused, with our id, shows that everything before it was dealt with."""
    caller.peer.send({"type": "no.such.event", "event_id": event_id})

    def refused() -> bool | None:
        errors = caller.timeline.server_events("error")
        return any((e.event or {})["error"].get("event_id") == event_id for e in errors) or None

    await until(caller.timeline, refused, WITHIN)


def _memory_kib() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() // 1024


async def fuzz(count: int, seed: int) -> Outcome:
    """A third on the channel, the rest over HTTP; growth is measured over the last four fifths."""
    rng, outcome = random.Random(seed), Outcome()
    settings = quick(connect_seconds=5.0, ended_calls_kept=20)
    async with serving(settings) as served:
        caller = Caller()
        offer = await caller.peer.create_offer()
        await caller.peer.close()
        before_memory = before_descriptors = 0
        for part in range(5):
            await fuzz_http(served, offer, count * 2 // 15, rng, outcome)
            await fuzz_channel(served, count // 15, rng, outcome)
            # The caller has hung up; the fake has yet to notice.
            for record in served.fake.calls.records.live:
                await until(record.timeline, lambda record=record: record.state == "ended", WITHIN)  # type: ignore[misc]  # bound now
            if part == 0:
                before_memory, before_descriptors = _memory_kib(), _descriptors()
        outcome.growth_kib = _memory_kib() - before_memory
        outcome.descriptors = _descriptors() - before_descriptors
        if served.fake.calls.records.live:
            outcome.wrong.append(f"{len(served.fake.calls.records.live)} calls are still live")
    return outcome


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]]
    result = asyncio.run(fuzz(*(arguments + [10_000, 1][len(arguments) :])))
    sys.stdout.write(f"{result}\n")
    sys.exit(1 if result.wrong or result.growth_kib > 20_000 else 0)
