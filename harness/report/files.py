"""What a run leaves: results.json, samples.json, and for each call its timeline, descriptions and audio."""

from __future__ import annotations

import io
import json
import shutil
import wave
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.audio import Samples
from harness.core.audio_format import RATE
from harness.core.errors import UsageError
from harness.core.events import AnswerReceived, OfferCreated, ScreenshotTaken
from harness.core.printable import printable
from harness.report.explain import root_causes
from harness.report.saved import RESULTS, SAMPLES, SCHEMA
from harness.run.model import CallEntry, Run
from harness.run.stream import Happening, RunEnded

CALLS = "calls"
TIMELINE = "timeline.jsonl"


@dataclass(frozen=True)
class ResultFiles:
    """Observes a run: writes its files when it has ended. Raises UsageError where that cannot be."""

    directory: Path

    def __call__(self, happening: Happening) -> None:
        """Nothing before the end."""
        if isinstance(happening, RunEnded):
            write_run(happening.run, self.directory)


def write_run(run: Run, directory: Path) -> Path:
    """Write everything, replacing an earlier run's files; returns the path of results.json.

    Raises UsageError when the directory cannot be written.
    """
    try:
        _clear_calls(directory)
        results = directory / RESULTS
        directory.mkdir(parents=True, exist_ok=True)
        document = json.dumps(as_results(run), indent=1, ensure_ascii=False)
        results.write_text(printable(document, lines=True) + "\n", encoding="utf-8")
        (directory / SAMPLES).write_text(json.dumps(as_samples(run), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the report cannot be written: {error}", "choose another --reports DIR") from error
    lost = [why for call in run.calls if (why := _lost(call, directory / CALLS / call.id))]
    if lost:
        raise UsageError(
            f"the evidence of {len(lost)} of {len(run.calls)} calls cannot be written: {lost[0]}",
            f"the verdicts are in {results}; make room, or choose another --reports DIR",
        )
    return results


def _lost(call: CallEntry, directory: Path) -> str:
    """Write one call's evidence; why it could not be, and then nothing of it is left."""
    try:
        write_call(call, directory)
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        return error.strerror or str(error)
    return ""


def _clear_calls(directory: Path) -> None:
    """Remove an earlier run's calls, and nothing that is not one: `--reports` may name any directory."""
    for timeline in (directory / CALLS).glob(f"*/{TIMELINE}"):
        shutil.rmtree(timeline.parent)


def as_results(run: Run) -> dict[str, Any]:
    """The contract: results.json, schema 2."""
    return {
        "schema": SCHEMA,
        "harness": {"version": run.harness_version},
        "target": {"url": run.target, "route": run.route, "dialect": run.dialect, "mode": run.mode},
        "caller": run.caller,
        "seed": run.seed,
        "started_at": run.started_at,
        "verdict": run.verdict.value,
        **({"interrupted": True} if run.interrupted else {}),
        "summary": [entry for found in root_causes(run.verdicts) for entry in found.as_results()],
        "requirements": [verdict.as_result() for verdict in run.verdicts],
        "measurements": {name: asdict(measurement) for name, measurement in run.measurements().items()},
        "calls": [
            {"id": call.id, "scenario": call.scenario, "timeline": f"{CALLS}/{call.id}/{TIMELINE}"}
            for call in run.calls
        ],
    }


def as_samples(run: Run) -> dict[str, Any]:
    """What comparing runs takes beside results.json: how the run was made, and every value measured."""
    return {
        "schema": SCHEMA,
        "conditions": dict(run.conditions),
        "samples": {name: [round(value, 3) for value in found] for name, (_, found) in run.samples().items()},
    }


def write_call(call: CallEntry, directory: Path) -> None:
    """Write one call's evidence."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / TIMELINE).write_text(printable(call.timeline.to_jsonl(), lines=True), encoding="utf-8")
    for name, text in descriptions(call).items():
        (directory / name).write_bytes(text.encode("utf-8", "replace"))
    for name, image in pictures(call).items():
        (directory / name).write_bytes(image)
    if call.audio is not None and call.audio.size:
        (directory / "received.wav").write_bytes(wav_bytes(call.audio))


def descriptions(call: CallEntry) -> dict[str, str]:
    """The offer and the answer, byte for byte, by file name: evidence, so what is odd in them stays."""
    offer, answer = call.timeline.first(OfferCreated), call.timeline.first(AnswerReceived)
    return {
        name: found.sdp for name, found in (("offer.sdp", offer), ("answer.sdp", answer)) if found is not None
    }


def pictures(call: CallEntry) -> dict[str, bytes]:
    """The screenshots of a call that a web page made, in order, by file name."""
    taken = call.timeline.all(ScreenshotTaken)
    return {f"page-{n:02d}-{e.why.replace(' ', '-')}.jpg": e.image for n, e in enumerate(taken, start=1)}


def wav_bytes(samples: Samples) -> bytes:
    """A WAV file: 48 kHz, 16 bit, mono."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()
