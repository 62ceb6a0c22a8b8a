from __future__ import annotations

from harness.core.events import OtherCodecHeard
from harness.requirements import REGISTRY, Outcome, judge
from tests.support.timelines import healthy_events, timeline_of


def test_what_is_spoken_in_another_codec_is_not_called_silence() -> None:
    heard = OtherCodecHeard(at=3.0, payload_type=0, codec="pcmu/8000")
    verdicts = judge([timeline_of([*healthy_events(), heard])], REGISTRY)
    (verdict,) = [v for v in verdicts if v.id == "audio.comes-back"]
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "speaks pcmu/8000 (payload type 0)" in verdict.explanation
    assert not [v for v in verdicts if v.outcome == Outcome.FAILED]
