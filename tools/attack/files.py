"""What is given to us: timelines to judge, harness.toml, options, the environment."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from pydantic import SecretStr

from harness.cli.main import _run, cli
from harness.config.ice import ice_server, parse_ice_url
from harness.config.run import run_settings
from harness.config.settings import read_settings
from harness.config.target import Target
from harness.config.targets import load_named_target
from harness.config.targets_file import is_name
from harness.core.errors import HarnessError, UsageError
from harness.core.limits import parse_limit
from harness.load.analysis.slo import read_slos
from tests.support.escapes import raw_in
from tests.support.timelines import healthy_call
from tools.attack.kinds import expect, kind
from tools.attack.values import NUMBERS, TEXTS, spoiled, spoiled_text

HEALTHY = [healthy_call(mode).to_jsonl() for mode in ("embedded", "black-box", "grey-box")]


def _command(*arguments: str) -> tuple[int, str]:
    """A command's code and all that it printed."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("harness.cli.capacity._become", return_value=None),  # it would take our place
    ):
        code = _run(lambda: cli.main(list(arguments), prog_name="harness", standalone_mode=False))
    return code, out.getvalue() + err.getvalue()


def _timeline(rng: random.Random) -> bytes:
    text = rng.choice(HEALTHY)
    match rng.randrange(5):
        case 0:
            return spoiled_text(text, rng).encode("utf-8", "surrogatepass")
        case 1 | 2 | 3:
            lines = text.splitlines()
            for _ in range(rng.choice((1, 2, 5))):
                at = rng.randrange(len(lines))
                event = spoiled(json.loads(lines[at]), rng)
                with contextlib.suppress(ValueError):
                    lines[at] = json.dumps(event)
            if rng.random() < 0.3:
                rng.shuffle(lines)
            return "\n".join(lines).encode()
        case _:
            raw = bytearray(text.encode())
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(20)] = rng.randbytes(rng.randrange(20))
            return bytes(raw)


@kind("timelines given to judge", within=20.0)
def timelines(rng: random.Random) -> int:
    """`harness judge` on a timeline that was cut, changed, shuffled or made up."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.jsonl"
        path.write_bytes(_timeline(rng))
        code, printed = _command("judge", str(path), *rng.choice(((), ("--json",), ("--strict",))))
        expect(code in (0, 1, 2, 4), f"exit code {code}")
        expect(
            "the check itself broke" not in printed, printed[printed.find("the check itself") - 80 :][:300]
        )
        expect(not raw_in(printed), f"raw: {raw_in(printed)[:3]}")
        if code == 2:
            expect(len(printed.splitlines()) <= 3, printed[:400])
    return 1


TOML: dict[str, Any] = {
    "targets": {
        "staging": {
            "url": "https://staging.example.com/api",
            "dialect": "json",
            "origin": "https://app.example.com",
            "bearer_env": "A_TOKEN",
            "headers": {"X-Tenant": "acme"},
            "headers_env": {"X-Other": "A_TOKEN"},
            "cookies_env": {"session": "A_TOKEN"},
            "query_env": {"key": "A_TOKEN"},
            "fields": {"chatId": "c1"},
            "ice_servers": [{"urls": ["turn:t.example.com"], "username": "u", "credential_env": "A_TOKEN"}],
            "limits": {"latency_ms": 800.0},
            "concurrency": 2,
            "before_call": {"url": "/hook", "fields": {"token": "a.b"}, "body": {"x": 1}},
            "usage": {"url": "/usage", "field": "total.usd"},
        }
    }
}
VALUE = "env-secret-0123456789"


def _as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {_as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_toml, value)) + "]"
    if value is None:
        return '"none"'
    return json.dumps(value)


@kind("harness.toml")
def toml(rng: random.Random) -> int:
    """A file that names targets, with other values, cut lines or noise in it."""
    spoilt = spoiled(TOML, rng, rng.choice((1, 2, 3)))
    try:
        entry = spoilt["targets"]["staging"]
        text = "[targets.staging]\n" + "".join(f"{k} = {_as_toml(v)}\n" for k, v in entry.items())
    except (KeyError, TypeError, AttributeError, ValueError):
        text = f"targets = {_as_toml(spoilt.get('targets', 1))}\n"
    if rng.random() < 0.3:
        text = spoiled_text(text, rng)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "harness.toml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            target = load_named_target("staging", path, {"A_TOKEN": VALUE}).target
        except UsageError as error:
            expect(VALUE not in str(error), "a secret in the message")
            expect(not raw_in(str(error)), "raw text in the message")
            expect(len(str(error)) < 4100, f"a message of {len(str(error))} characters")
        else:
            expect(VALUE not in repr(target), "a secret in repr")
            expect(VALUE not in target.shown_url, "a secret in the shown URL")
    return 1


WORDS = (
    *TEXTS, *map(str, NUMBERS), "http://127.0.0.1:1/x", "https://user:pa/ss@host/x", "https://[::1",
    "http://a:99999/",
    "http://host:0/", "//x", "http://\u202e/", "http://h/?api_key=abc", "javascript:alert(1)", "turn:",
    "stun:a:b",
    "turn:h?transport=sctp", "stun:[::1", "latency_ms=nan", "latency_ms=1e999", "x=1", "DC open p95 < 5s",
    "p95 <", "failures < 101%", "staging", "json", "sdp", "chromium", "all",
)  # fmt: skip


@kind("options and their values")
def options(rng: random.Random) -> int:
    """Any text as the value of an option."""
    word = rng.choice(WORDS) if rng.random() < 0.7 else spoiled_text(rng.choice(WORDS), rng)
    readers: Sequence[Callable[[], object]] = (
        lambda: run_settings(target=word, config=Path("/nonexistent")),
        lambda: run_settings(dialect=word),
        lambda: run_settings(origin=word),
        lambda: run_settings(offer=word),
        lambda: run_settings(target="http://127.0.0.1:1/x", fake_openai=word),
        lambda: parse_limit(word),
        lambda: read_slos([word]),
        lambda: ice_server(word),
        lambda: parse_ice_url(word),
        lambda: is_name(word) and None,
        lambda: Target("http://127.0.0.1/x", headers=((word, word),)),
        lambda: Target("http://127.0.0.1/x", cookies=((word, SecretStr(word)),)),
        lambda: Target("http://127.0.0.1/x", fields={word: word}),
        lambda: Target("http://127.0.0.1/x", bearer=SecretStr(word)),
    )
    for read in readers:
        try:
            read()
        except UsageError as error:
            expect(not raw_in(str(error)), f"raw text in {str(error)!r}")
            expect("pa/ss" not in str(error), f"a password in {str(error)!r}")
            expect(len(str(error)) < 4100, f"a message of {len(str(error))} characters")
    word = word.replace("\ud800", "\udcff")  # as Python has a byte of a command line that is no UTF-8
    arguments = rng.choice(
        (
            ("doctor", word, "--nothing"),
            ("ice", word, "--within", "0.1", "--nothing"),
            ("capacity", "--start", word),
            ("soak", "--minutes", word),
            ("judge", word),
            ("compare", word, word),
            ("catalogue", word),
            ("faults", word),
            (word,),
            ("relay", "--port", word),
            ("fake-openai", "--port", word, "--nothing"),
        )
    )
    if not any("\0" in a or a == "--help" for a in arguments):
        code, printed = _command(*arguments)
        expect(code in (0, 2), f"{arguments}: exit code {code}: {printed[:300]}")
        expect(not raw_in(printed), f"raw: {raw_in(printed)[:3]}")
        expect("Traceback" not in printed, printed[-300:])
    return len(readers) + 1


VARIABLES = (
    "TARGET",
    "HEADERS",
    "COOKIES",
    "FIELDS",
    "ICE_SERVERS",
    "BEARER",
    "ORIGIN",
    "DIALECT",
    "SILENCE",
    "ICE_CA",
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")


@kind("the environment")
def environment(rng: random.Random) -> int:
    """HARNESS_… variables and proxies of any value."""
    from harness.config.timeouts import Timeouts
    from harness.signaling.sending import new_client

    kept = dict(os.environ)
    try:
        for name in rng.sample(VARIABLES, 2):
            value = rng.choice((*WORDS, json.dumps({"a": spoiled(["x"], rng)}, default=str)[:5000]))
            os.environ[f"HARNESS_{name}"] = value.replace("\0", "").encode("utf-8", "replace").decode()
        try:
            read_settings()
            run_settings()
        except UsageError as error:
            expect(not raw_in(str(error)), f"raw text in {str(error)!r}")
        os.environ.clear()
        os.environ.update(kept)
        for name in rng.sample(PROXIES, 2):
            value = rng.choice(
                (*WORDS, "socks5://127.0.0.1:1", "ftp://x", "http://", "http://u:p@h:1", "*", "[::1]")
            )
            os.environ[name] = value.replace("\0", "").encode("utf-8", "replace").decode()
        for url in ("http://127.0.0.1:1/x", "https://relay.example.com/x"):
            try:
                new_client(Target(url), Timeouts())
            except HarnessError as error:
                expect(not raw_in(str(error)), f"raw text in {str(error)!r}")
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return 2
