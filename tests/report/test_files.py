from __future__ import annotations

import errno
import io
import json
import os
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.core.audio import Samples
from harness.core.errors import UsageError
from harness.core.events import AnswerReceived, CallStarted, OfferCreated
from harness.core.timeline import Timeline
from harness.report import files
from harness.report.files import wav_bytes, write_run
from harness.requirements.model import Evidence, Level, Outcome, Verdict
from harness.run.model import CallEntry, Run

OFFER = "v=0\r\ns=-\r\n"


def one_run() -> Run:
    timeline = Timeline(
        [
            CallStarted(at=0.0, call="001-first", scenario="first"),
            OfferCreated(at=0.1, sdp=OFFER),
            AnswerReceived(at=0.2, sdp="v=0\n"),
        ]
    )
    failed = Verdict(
        "signaling.answer-line-endings",
        Level.MUST,
        Outcome.FAILED,
        cause="bare-line-feeds",
        scenario="first",
        call="001-first",
        explanation="why",
        fix="how",
        evidence=(Evidence(0.2, "1 bare line feed"),),
    )
    entry = CallEntry("001-first", "first", timeline, np.zeros(480, dtype=np.int16))
    return Run("http://127.0.0.1:1/offer", "json", "black-box", 7, "2026-01-01", (entry,), (failed,))


def test_results_are_those_of_the_contract(tmp_path: Path) -> None:
    results = json.loads(write_run(one_run(), tmp_path / "latest").read_text())
    assert set(results) == {
        "schema",
        "harness",
        "target",
        "caller",
        "seed",
        "started_at",
        "verdict",
        "summary",
        "requirements",
        "measurements",
        "calls",
    }
    assert results["schema"] == 2
    assert results["caller"] == "aiortc"
    assert results["target"] == {
        "url": "http://127.0.0.1:1/offer",
        "route": "offer",
        "dialect": "json",
        "mode": "black-box",
    }
    assert results["verdict"] == "violating"
    assert results["requirements"] == [
        {
            "id": "signaling.answer-line-endings",
            "level": "MUST",
            "outcome": "failed",
            "cause": "bare-line-feeds",
            "scenario": "first",
            "call": "001-first",
            "explanation": "why",
            "fix": "how",
            "evidence": ["0.200 s: 1 bare line feed"],
        }
    ]


def test_each_call_leaves_its_timeline_descriptions_and_audio(tmp_path: Path) -> None:
    results = json.loads(write_run(one_run(), tmp_path).read_text())
    timeline = tmp_path / results["calls"][0]["timeline"]
    assert Timeline.from_jsonl(timeline.read_text()).to_jsonl() == timeline.read_text()
    assert (timeline.parent / "offer.sdp").read_bytes() == OFFER.encode()
    assert (timeline.parent / "answer.sdp").read_bytes() == b"v=0\n"
    assert (timeline.parent / "received.wav").stat().st_size == 44 + 960


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="choose another --reports"):
        write_run(one_run(), tmp_path / "file")


def test_a_wav_has_48_khz_one_channel_16_bits() -> None:
    with wave.open(io.BytesIO(wav_bytes(np.arange(960, dtype=np.int16)))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (
            48000,
            1,
            2,
            960,
        )


def test_of_what_was_there_only_an_earlier_runs_calls_are_removed(tmp_path: Path) -> None:
    notes = tmp_path / "calls" / "of my own" / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text("keep me")
    earlier = tmp_path / "calls" / "999-earlier"
    earlier.mkdir()
    (earlier / "timeline.jsonl").write_text("")
    write_run(one_run(), tmp_path)
    assert notes.read_text() == "keep me"
    assert not earlier.exists()
    assert (tmp_path / "calls" / "001-first" / "timeline.jsonl").exists()


def test_a_disk_that_is_full_in_the_middle_costs_one_calls_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = one_run()
    second = CallEntry("002-second", "first", run.calls[0].timeline, run.calls[0].audio)
    run = replace(run, calls=(*run.calls, second))
    write = files.wav_bytes

    def full(samples: Samples) -> bytes:
        if not (tmp_path / "calls" / "002-second").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(samples)

    monkeypatch.setattr(files, "wav_bytes", full)
    with pytest.raises(UsageError, match=r"the evidence of 1 of 2 calls .* No space left on device"):
        write_run(run, tmp_path)
    assert json.loads((tmp_path / "results.json").read_text())["verdict"] == "violating"
    assert [folder.name for folder in (tmp_path / "calls").iterdir()] == ["002-second"]
