from __future__ import annotations

import pytest

from harness.core.errors import UsageError
from harness.core.impairments import IMPAIRMENTS
from harness.network.presets import PRESETS, preset


def test_every_preset_goes_by_its_name_and_says_what_it_is() -> None:
    assert tuple(PRESETS) == IMPAIRMENTS  # which the options show, and cannot ask here
    assert all(preset(name).name == name and preset(name).description for name in PRESETS)


def test_an_unknown_preset_is_refused_with_near_matches() -> None:
    with pytest.raises(UsageError, match=r"no impairment 'trian'[\s\S]*did you mean train"):
        preset("trian")


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "clear"])
def test_a_preset_has_room_for_a_call(name: str) -> None:
    """Opus and its headers need some 80 kbit/s; a preset must spoil a call by its losses, not by its rate."""
    for path in (preset(name).up, preset(name).down):
        assert path.rate_kbps >= 3 * 80
        assert 0 < path.expected_loss < 0.1
