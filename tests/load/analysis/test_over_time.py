"""Each stage over the whole run."""

from __future__ import annotations

from harness.load.analysis.over_time import STRETCHES, over_time
from harness.load.analysis.recorder import Recorder


def test_each_stretch_has_the_median_and_the_worst_of_what_ended_in_it() -> None:
    recorder = Recorder()
    for at, ms in ((100.5, 10.0), (100.6, 20.0), (100.7, 90.0), (159.5, 40.0), (99.0, 999.0), (161.0, 999.0)):
        recorder.hear("DC open", ms, None, {"at": at})
    recorder.hear("SDP POST", None, RuntimeError("refused"), {"at": 101.0})
    found = over_time(recorder, 100.0, 100.0 + STRETCHES)
    assert found == {
        "seconds": float(STRETCHES),
        "rows": {"DC open": [(0.5, 20.0, 90.0), (59.5, 40.0, 40.0)]},
    }


def test_a_run_without_a_call_has_no_rows() -> None:
    assert over_time(Recorder(), 5.0, 5.0) == {"seconds": 0.0, "rows": {}}
