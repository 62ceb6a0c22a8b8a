from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.plugin.conftest import Run

USAGE_ERROR = 4  # pytest's own code for wrong options


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("--target=not-a-url",),
            "'not-a-url' is not a URL, and there is no harness.toml that could name it",
        ),
        # What else an option can be refused for is tested where it is checked: config and requirements.
        (("--requirement=signaling.answer-is-spd",), "did you mean signaling.answer-is-sdp"),
    ],
)
def test_a_wrong_option_is_one_message_and_no_call(
    scenarios: Run, arguments: tuple[str, ...], says: str
) -> None:
    finished = scenarios(*arguments)
    assert finished.code == USAGE_ERROR
    assert says in finished.output
    assert "Traceback" not in finished.output
    assert not finished.reports.exists()


def test_a_target_that_refuses_is_named_with_what_to_do(scenarios: Run, closed_port: int) -> None:
    url = f"http://127.0.0.1:{closed_port}/api/voice/webrtc/session"
    finished = scenarios(f"--target={url}")
    assert finished.code == 3
    assert f"nothing answered at {url}" in finished.output
    assert "is the relay running" in finished.output
    assert "Traceback" not in finished.output
    assert '"verdict": "unreachable"' in (finished.reports / "results.json").read_text()


def test_a_fake_that_is_none_is_reported_and_not_blamed_on_the_target(
    scenarios: Run, silent_server: int
) -> None:
    finished = scenarios(
        f"--target=http://127.0.0.1:{silent_server}/offer", "--dialect=sdp", "--area=signaling"
    )
    assert finished.code in (1, 3)
    assert "within" in finished.output
    assert "Traceback" not in finished.output


def test_an_ordinary_test_run_is_left_alone(scenarios: Run) -> None:
    finished = scenarios(paths=("tests/call/test_scenario.py",))
    assert finished.code == 0
    assert "the target is" not in finished.output
    assert not finished.reports.exists()
