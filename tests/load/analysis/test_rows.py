from __future__ import annotations

import pytest

from harness.core.stages import STAGE_NAMES
from harness.load.analysis import rows
from harness.requirements.registry import REGISTRY


def test_the_rows_are_those_of_the_documentation() -> None:
    assert rows.ROWS == (
        "SDP POST",
        "ICE connected",
        "DC open",
        "session.update",
        "turn detected",
        "first audio",
        "whole turn",
        "reconnect",
    )
    assert set(rows.OF_STAGE) <= set(STAGE_NAMES)


def test_every_requirement_shows_in_a_row() -> None:
    for requirement in REGISTRY.select():
        assert rows.row_of(requirement.stage) in (*rows.ROWS, rows.CALL)


@pytest.mark.parametrize(
    ("requirement", "row"),
    [
        ("signaling.offer-accepted", "SDP POST"),
        ("connectivity.ice-connects", "ICE connected"),
        ("connectivity.data-channel-opens", "DC open"),
        ("session.update-accepted", "session.update"),
        ("turns.speech-detected", "turn detected"),
        ("turns.latency", "first audio"),
        ("turns.response-completes", "whole turn"),
        ("audio.comes-back", "first audio"),
        ("lifecycle.hang-up-releases-call", "call"),
    ],
)
def test_a_failure_shows_where_it_happened(requirement: str, row: str) -> None:
    assert rows.row_of(REGISTRY.get(requirement).stage) == row
