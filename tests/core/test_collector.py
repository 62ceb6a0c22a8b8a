from __future__ import annotations

import gc

from harness.core.collector import YOUNG, freeze_loaded


def test_what_is_there_is_looked_at_no_more_and_what_comes_later_is() -> None:
    before = gc.get_threshold()
    try:
        freeze_loaded()
        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects()) < gc.get_freeze_count() / 10
        assert gc.get_threshold() == (YOUNG, *before[1:])
        later: list[object] = []
        later.append(later)
        del later
        assert gc.collect() >= 1
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
