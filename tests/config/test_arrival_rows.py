"""What of a load of offers alone goes together: at either command, what does not is refused in one line."""

from __future__ import annotations

import pytest

from harness.cli.main import main

URL = "http://127.0.0.1:9/offer"
LEAVE = "(give --arrivals with it, or leave it out)"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("soak --rate=5", f"--rate: it is about offers alone {LEAVE}"),
        ("soak --spacing=constant", f"--spacing: it is about offers alone {LEAVE}"),
        ("soak --talking=1", f"--talking: it is about offers alone {LEAVE}"),
        ("capacity --http2", f"--http2: it is about offers alone {LEAVE}"),
        ("capacity --idle-seconds=1", f"--idle-seconds: it is about offers alone {LEAVE}"),
        (
            "soak --arrivals --calls=5",
            "--calls: it is about calls, and --arrivals sends offers alone "
            "(calls beside the offers are --talking N)",
        ),
        (
            "capacity --arrivals --caller=interrupting",
            "--caller: it is about calls, and --arrivals sends offers alone "
            "(those who talk while offers arrive are steady callers)",
        ),
        (
            "soak --arrivals --budget=1",
            "--budget: it is about calls, and --arrivals sends offers alone "
            "(bound what is spent by --for, --most and --talking)",
        ),
        (
            "soak --arrivals --turns=3",
            "--turns: it is about a conversation, and nobody talks (give --talking N with it)",
        ),
        (
            "capacity --arrivals --ice-server=stun:127.0.0.1:3478",
            "--ice-server: it is about a conversation, and nobody talks (give --talking N with it)",
        ),
        (
            "soak --arrivals --http2 --new-connections",
            "--http2 sends many offers through one connection (leave --new-connections out)",
        ),
        (
            "soak --arrivals --for=2s",
            "--ramp-seconds 2 is no shorter than --for 2s (let it last longer)",
        ),
        (
            "soak --arrivals --burst-size=9",
            "--burst-size: the offers come one by one (give --spacing bursts with it, or leave it out)",
        ),
        ("soak --arrivals --rate=0", "--rate: '0' is out of range (give a number above 0)"),
        (
            "soak --arrivals --rate=many",
            "--rate: 'many' is no number (give a number above 0)",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    arguments: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    door, *options = arguments.split()
    with pytest.raises(SystemExit) as refused:
        main([door, URL, *options])
    assert (refused.value.code, capsys.readouterr().err) == (2, f"harness: {told}\n")
