from dataclasses import asdict

from harness.config.timeouts import Timeouts
from harness.core.limits import LIMITS


def test_every_wait_is_longer_than_the_limit_it_belongs_to() -> None:
    """Else what is late could not be told from what never came."""
    waits = asdict(Timeouts())
    judged = {"answer": "answer_s", "channel": "channel_s", "created": "session_s", "update": "session_s"}
    judged["hang_up"] = "release_s"
    for wait, limit in judged.items():
        assert waits[wait] > (LIMITS[limit].default or 0), wait
    assert all(seconds > 0 for seconds in waits.values())
