"""The table of options, and the three front doors that read it: what one refuses, all refuse in one line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.cli.main import main
from harness.config import options
from harness.config.asking import settings_of
from harness.config.option import Door, Option
from harness.config.option_texts import Texts, given, in_words, read_options
from harness.config.options import OPTIONS, PROGRAMS, options_of
from harness.config.timeouts import Timeouts
from harness.core.errors import UsageError
from harness.load.locust_side import options as locust_options
from harness.plugin.options import texts_of
from harness.plugin.session import VoiceSession, repeated

URL = "http://127.0.0.1:9/offer"
DOORS: tuple[Door, ...] = ("pytest", "doctor", "demo", "judge", "watch", "capacity", "soak", "locust")


class LocustLikeParser(argparse.ArgumentParser):
    """As Locust's own, which cannot be had without gevent's patches of this process."""

    def add_argument(self, *names: Any, include_in_web_ui: bool = True, **declared: Any) -> Any:
        return super().add_argument(*names, **declared)


def at_pytest(*arguments: str) -> None:
    VoiceSession(pytest.Config.fromdictargs({}, list(arguments))).check()


def at_command(door: Door) -> Callable[..., None]:
    def ask(*arguments: str) -> None:
        place = {"judge": ["nowhere.jsonl"], "demo": []}.get(door, [URL])
        main([door, *place, *arguments])

    return ask


def locust_namespace(*arguments: str) -> argparse.Namespace:
    parser = LocustLikeParser()
    parser.add_argument("--host")
    locust_options.add_options(parser)
    return parser.parse_args([f"--host={URL}", *arguments])


def at_locust(*arguments: str) -> None:
    locust_options.check_options(locust_namespace(*arguments))


def said_at(door: Door, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a door answers to wrong options."""
    ask = {"pytest": at_pytest, "locust": at_locust}.get(door) or at_command(door)
    with pytest.raises((UsageError, SystemExit)) as refused:
        ask(*arguments)
    if isinstance(refused.value, SystemExit):
        assert refused.value.code == 2
    else:
        return str(refused.value)
    return capsys.readouterr().err.removeprefix("harness: ").removesuffix("\n")


# An option, what is given, and the one line that every door answers.
REFUSED = {
    ("--dialect", "jsn"): "--dialect: there is no dialect 'jsn' (did you mean json?)",
    ("--dialect", "JSON"): "--dialect: there is no dialect 'JSON' (did you mean json?)",
    ("--offer", "fierfox"): "--offer: there is no offer 'fierfox' (did you mean firefox?)",
    ("--origin", "app.example.com/page"): "--origin: 'app.example.com/page' is no origin "
    "(give https://HOST, without a path)",
    ("--limit", "latancy_ms=5"): "--limit: there is no limit 'latancy_ms' (did you mean latency_ms?)",
    ("--limit", "latency_ms=nan"): "--limit: 'latency_ms=nan' gives latency_ms no number "
    "(write latency_ms=3000 (unit: ms))",
    ("--limit", "latency_ms=-5"): "--limit: 'latency_ms=-5' gives latency_ms no number "
    "(write latency_ms=3000 (unit: ms))",
    ("--seed", "soon"): "--seed: 'soon' is no whole number (give a whole number, from 0 to 4294967295)",
    ("--seed", "-1"): "--seed: '-1' is out of range (give a whole number, from 0 to 4294967295)",
    ("--seed", "1.5"): "--seed: '1.5' is no whole number (give a whole number, from 0 to 4294967295)",
    ("--seed", ""): "--seed: an empty text is no value (give N, or leave the option out)",
    ("--turns", "0"): "--turns: '0' is out of range (give a whole number, 1 or more)",
    ("--decode-share", "1.5"): "--decode-share: '1.5' is out of range (give a number from 0 to 1)",
    ("--budget", "inf"): "--budget: 'inf' is out of range (give a number 0 or more)",
    ("--call-every", "0"): "--call-every: '0' is out of range (give a number above 0)",
    ("--for", "soon"): "--for: 'soon' is not a duration (write 30m, 90s or 1h30m)",
    ("--caller", "aiotrc"): "--caller: there is no caller 'aiotrc' (did you mean aiortc?)",
    ("--auth", "requird"): "--auth: there is no answer 'requird' (did you mean required?)",
    ("--impairment", "trian"): "--impairment: there is no impairment 'trian' (did you mean train?)",
    ("--fake-openai", "127.0.0.1:port"): "--fake-openai: '127.0.0.1:port' is no address of a fake "
    "(give HOST:PORT, such as 127.0.0.1:8089)",
    ("--ice-server", "turn://h"): "--ice-server: 'turn://h' is not the URL of an ICE server "
    "(write stun:HOST:PORT or turn:HOST:PORT?transport=udp, without slashes)",
    ("--ice-servers-from", "ice"): "--ice-servers-from: 'ice' is not a place to fetch ICE servers from "
    "(give https://HOST/PATH, or /PATH on the target)",
    ("--ice-transport-policy", "rely"): "--ice-transport-policy: there is no ICE transport policy 'rely' "
    "(did you mean relay?)",
    ("--ice-ca", "nowhere.pem"): "--ice-ca: 'nowhere.pem' holds no authority to trust: No such file or "
    "directory (give a PEM file of certificates)",
    ("--requirement", "audio.comes-bac"): "--requirement: there is no requirement 'audio.comes-bac' "
    "(did you mean audio.comes-back?)",
    ("--area", "adio"): "--area: there is no area 'adio' (did you mean audio?)",
}  # fmt: skip


def refusals() -> Iterator[tuple[Door, str, str, str]]:
    for (option, value), line in REFUSED.items():
        for door in DOORS:
            if option == "--caller" and door in PROGRAMS:
                continue  # where it is a persona's plan
            if option in {f"--{each.name}" for each in options_of(door)}:
                yield door, option, value, line


@pytest.mark.parametrize(("door", "option", "value", "line"), list(refusals()))
def test_every_door_answers_a_wrong_option_in_the_same_line(
    door: Door, option: str, value: str, line: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("HARNESS_TARGET", raising=False)
    target = {"pytest": (f"--target={URL}",)}.get(door, ())
    assert said_at(door, capsys, *target, f"{option}={value}") == line


def test_the_objectives_of_a_load_are_refused_alike() -> None:
    line = "--slo: there is no stage 'DC opne' in 'DC opne p95 < 5s' (did you mean DC open?)"
    with pytest.raises(UsageError) as at_locusts:
        at_locust("--slo=DC opne p95 < 5s")
    with pytest.raises(UsageError) as at_capacity:
        locust_options.checked_slos(["DC opne p95 < 5s"], or_default=True)
    assert str(at_locusts.value) == str(at_capacity.value) == line


@pytest.mark.parametrize("door", DOORS)
def test_every_option_of_a_door_is_there_and_has_words(door: Door) -> None:
    shown = options_of(door)
    assert len({option.name for option in shown}) == len({option.field for option in shown}) == len(shown)
    for option in shown:
        assert option.help
        assert option.is_flag == (not option.metavar)
        assert not option.is_flag or not (option.many or option.default_at(door))


@pytest.mark.parametrize("door", DOORS)
def test_what_is_not_given_has_its_default_and_every_default_can_be_read(door: Door) -> None:
    values = read_options(door, {})
    assert values.keys() == {option.field for option in options_of(door)}
    for option in options_of(door):
        if option.many:
            assert values[option.field] == ()
        elif option.is_flag:
            assert values[option.field] is False
        else:
            assert (values[option.field] is None) == (option.default_at(door) == "")


@pytest.mark.parametrize("door", ["pytest", "doctor", "capacity", "soak", "locust"])
def test_what_says_how_calls_are_made_becomes_the_settings_of_the_run(door: Door) -> None:
    texts: Texts = {
        "dialect": "sdp",
        "seed": "7",
        "offer": "firefox",
        "limits": ["latency_ms=900", "gap_ms=100"],
        "silent": True,
        "ice_server": ("stun:127.0.0.1:3478",),
        "fake_openai": "127.0.0.1:8089",
        "reports": "elsewhere",
    }
    values = read_options(door, {**texts, "target": URL})
    settings = settings_of(door, values, **({} if door == "pytest" else {"target": URL}))
    assert (settings.seed, settings.offer, str(settings.reports)) == (7, "firefox", "elsewhere")
    assert settings.limits == {"latency_ms": 900.0, "gap_ms": 100.0}
    assert settings.fake_openai == "http://127.0.0.1:8089"
    assert settings.the_target.silent
    assert settings.the_target.dialect == "sdp"
    assert [server.urls for server in settings.the_target.ice_servers] == [("stun:127.0.0.1:3478",)]


def test_a_new_option_is_one_row_and_one_field_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Option("timeouts", "how long", ("doctor",), "S", lambda s: Timeouts(turn=float(s)), of_run=True)
    monkeypatch.setattr(options, "OPTIONS", (*OPTIONS, row))
    assert settings_of("doctor", read_options("doctor", {"timeouts": "3"})).timeouts.turn == 3.0
    assert settings_of("doctor", read_options("doctor", {})).timeouts == Timeouts()


def test_at_locust_a_variable_stands_in_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_SEED", "12")
    monkeypatch.setenv("HARNESS_TURNS", "5")
    monkeypatch.setenv("HARNESS_LIMIT", "gap_ms=100")
    values = locust_options.read_values(locust_namespace())
    assert (values["seed"], values["turns"], values["limits"]) == (12, 5, (("gap_ms", 100.0),))
    assert locust_options.read_values(locust_namespace("--seed=3"))["seed"] == 3


def test_a_share_of_the_budget_becomes_a_limit_of_the_workers_calls() -> None:
    asked = locust_namespace("--budget=1", "--limit=gap_ms=100")
    assert locust_options.load_settings(asked, URL).limits == {"gap_ms": 100.0, "cost_per_run_usd": 1.0}
    asked.budget_share = 0.25
    assert locust_options.load_settings(asked, URL).limits["cost_per_run_usd"] == 0.25


def test_a_run_is_repeated_by_what_says_what_is_called_and_how() -> None:
    config = pytest.Config.fromdictargs({}, [
        "--dialect=sdp", "--limit=latency_ms=900", "--limit=gap_ms=100", "--ice-server=stun:127.0.0.1:3478",
        "--reports=elsewhere", "--area=audio", "--strict", "--silent", f"--target={URL}",
    ])  # fmt: skip
    texts = texts_of(config)
    assert repeated(texts, settings_of("pytest", {**read_options("pytest", texts), "seed": 7})) == (
        *("--target", URL),
        *("--dialect", "sdp"),
        "--silent",
        *("--ice-server", "stun:127.0.0.1:3478"),
        *("--limit", "latency_ms=900", "--limit", "gap_ms=100"),
        "--strict",
        *("--seed", "7"),
    )


def test_only_what_differs_from_the_defaults_is_repeated() -> None:
    texts = {"turns": "1", "slos": ["failures < 1%"], "step_seconds": "2.5", "at_least": "1", "reports": "r"}
    assert in_words("capacity", texts) == ["--turns", "1", "--step-seconds", "2.5", "--slo", "failures < 1%"]
    assert in_words("soak", {"seconds": "90s"}) == ["--for", "90s"]


def test_no_secret_is_repeated() -> None:
    texts = {
        "ice_servers_from": "https://relay.example.com/ice?api_key=anothersecret",
        "ice_server": ('[{"urls": "turn:h", "username": "u", "credential": "verysecret"}]',),
    }
    said = " ".join(in_words("pytest", texts))
    assert "--ice-servers-from https://relay.example.com/ice" in said
    assert "secret" not in said.replace("[redacted]", "")


def test_what_was_not_given_is_not_handed_on() -> None:
    assert given("soak", {"calls": "3", "limits": (), "silent": False, "offer": None}) == {"calls": "3"}


def test_no_two_rows_are_the_same_option_of_one_door() -> None:
    seen = [(door, option.name) for option in OPTIONS for door in option.doors]
    assert len(seen) == len(set(seen))
