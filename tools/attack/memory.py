"""What each kind of attack takes of memory, in MiB of the process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

_OURS = Path("/proc/self")


@dataclass
class Peaks:
    """`own`: the most that an attempt took beyond what there was before it; `whole`: the most there was.

    Both by the name of a kind. The kernel (Linux) keeps the peak, and forgets it when it is told to, so that
    a kind is not charged with what another took.
    """

    own: dict[str, float] = field(default_factory=dict)
    whole: dict[str, float] = field(default_factory=dict)
    _before: float = 0.0

    def begin(self) -> None:
        """Before an attempt."""
        (_OURS / "clear_refs").write_text("5")  # proc(5): the peak is as much as there is now
        self._before = _read("VmRSS")

    def end(self, name: str) -> float:
        """After it; returns what it took."""
        peak = _read("VmHWM")
        took = max(0.0, peak - self._before)
        self.own[name] = max(took, self.own.get(name, 0.0))
        self.whole[name] = max(peak, self.whole.get(name, 0.0))
        return took


def _read(what: str) -> float:
    for line in (_OURS / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == what:
            return int(value.split()[0]) / 1024
    raise OSError(f"the kernel does not tell {what}")
