"""The short form of `make calibration`: a busy machine adds delay, but neither loses nor finds a packet."""

from __future__ import annotations

from tools.calibration import BEGIN, END, PAGE, PRESET_NAMES, calibrate


async def test_what_is_injected_is_what_is_measured() -> None:
    found = await calibrate(PRESET_NAMES, 4)
    assert len(found) == 2 * len(PRESET_NAMES)
    for each in found:
        # A few checks and reports are counted by the link and are no audio.
        assert abs(each.measured_loss - each.injected_loss) <= 3, each
        assert 0.95 * each.injected_delay <= each.measured_delay <= 1.3 * each.injected_delay + 60, each
    assert max(c.injected_loss for c in found) > 1


def test_the_published_table_has_every_preset_both_ways_and_keeps_its_bounds() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in page[page.index(BEGIN) : page.index(END)].splitlines()[3:-2]]
    cells = [[cell.strip() for cell in row] for row in rows if row]
    assert {(row[0], row[1]) for row in cells} == {(n, d) for n in PRESET_NAMES for d in ("up", "down")}
    for row in cells:
        assert abs(float(row[3]) - float(row[4])) <= 1, row
        assert abs(float(row[6]) - float(row[7])) <= 10, row
        assert int(row[8]) >= 1450
