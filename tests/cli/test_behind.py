"""What `harness behind` is given, before it starts anything."""

from __future__ import annotations

import pytest

from harness.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "missing argument"),
        (["--host", "https://api.openai.com", "--", "true"], "is no host name"),
        (["--tell-after", "0", "--", "true"], "--tell-after: '0' is out of range (give a number above 0)"),
        (["--fake-openai", "nowhere", "--", "true"], "is not HOST:PORT"),
    ],
    ids=["no command", "host", "time", "fake"],
)
def test_what_cannot_be_used_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["behind", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_options_of_the_command_are_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing after its name is ours, with `--` or without; at this address nobody may serve a fake."""
    with pytest.raises(SystemExit) as ended:
        main(["behind", "--fake-openai", "192.0.2.1:1", "true", "--host", "http://"])
    assert ended.value.code == 4
    assert "is no host name" not in capsys.readouterr().err
