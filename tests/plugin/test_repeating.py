from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.run import RunSettings, run_settings
from harness.config.settings import Settings
from harness.plugin.options import add_options
from harness.plugin.repeating import FLAGS, NOT_REPEATED, REPEATED, repeat_options


def parsed(*arguments: str) -> pytest.Config:
    """pytest's configuration of a run with our options."""
    return pytest.Config.fromdictargs({}, list(arguments))


def repeated(*arguments: str, **settings: object) -> tuple[str, ...]:
    run: RunSettings = run_settings(seed=7, environment=Settings(), **settings)  # type: ignore[arg-type]  # the test's own
    return repeat_options(parsed(*arguments).option, run)


def test_a_run_without_options_is_repeated_by_its_seed() -> None:
    assert repeated() == ("--seed", "7")


def test_what_is_called_and_how_is_repeated_and_where_the_report_went_is_not() -> None:
    options = (
        "--dialect=sdp",
        "--limit=latency_ms=900",
        "--limit=gap_ms=100",
        "--ice-server=stun:127.0.0.1:3478",
        "--reports=elsewhere",
        "--area=audio",
    )
    assert repeated(*options, strict=True) == (
        *("--dialect", "sdp"),
        *("--limit", "latency_ms=900", "--limit", "gap_ms=100"),
        *("--ice-server", "stun:127.0.0.1:3478"),
        "--strict",
        *("--seed", "7"),
    )


def test_no_secret_of_a_url_is_repeated() -> None:
    url = "https://relay.example.com/offer?token=verysecretvalue"
    servers = "--ice-servers-from=https://relay.example.com/ice?api_key=anothersecret"
    found = " ".join(repeated(servers, target=url))
    assert "--target https://relay.example.com/offer" in found
    assert "verysecretvalue" not in found
    assert "anothersecret" not in found


def test_a_target_of_harness_toml_is_repeated_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "harness.toml"
    file.write_text('[targets.staging]\nurl = "https://staging.example.com/offer"\n')
    found = repeated(f"--config={file}", target="staging", config=file)
    assert found == ("--target", "staging", "--config", str(file), "--seed", "7")


def test_for_every_option_it_is_decided_whether_it_is_repeated() -> None:
    parser = pytest.Parser(_ispytest=True)
    add_options(parser)
    ours = {argument.dest for argument in parser.getgroup("harness").options}
    assert ours == {*REPEATED, *FLAGS, *NOT_REPEATED, "target", "seed"}
