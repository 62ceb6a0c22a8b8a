"""Python's collector of cyclic garbage, in the processes that pace: while it collects, no packet leaves.

With 200 calls in a process a full collection took 250 to 490 ms, nearly all of it for modules and the
API's types.
"""

from __future__ import annotations

import gc

# Objects that are there anew before the young are looked at. Setting up a call makes thousands, and frees
# nearly all by itself; with Python's 700 they are looked through several times meanwhile.
YOUNG = 10_000


def freeze_loaded() -> None:
    """Leave what there is by now out of all collections: for a process that has loaded what it keeps.

    And collect less often what is young: that was six hundredths of what setting up a call costs.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
