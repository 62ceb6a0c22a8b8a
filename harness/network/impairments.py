"""What a network does to packets, one direction at a time: sans-I/O, seeded, and counted.

A packet goes in with the moment and its size, the moments at which it comes out are the answer: none where it
is lost, two where it is duplicated.
"""

from __future__ import annotations

import math
import random
from dataclasses import asdict, dataclass, fields

from harness.core.errors import UsageError

# Queues along a path fill and drain slowly: the delay of a packet resembles that of the one before.
JITTER_MEMORY_SECONDS = 0.2
# A fading channel is bad for a time, not for a number of packets. TCP that waits ever longer between its
# attempts would else stay in one burst for seconds.
BURST_STEP_SECONDS = 0.02


@dataclass(frozen=True)
class Impairment:
    """One direction. Parts are of 1, delays are one way.

    `loss`: lost independently of each other; 1 loses everything. `burst_loss`: lost in bursts of
    `burst_packets` on average (Gilbert's two-state model), counted as audio has them, one each 20 ms: a burst
    lasts as long however much is sent in it. `jitter_ms`: standard deviation of the delay; it
    keeps the order. `reorder`: held back by `reorder_ms` more, so that later ones overtake. `rate_kbps`: 0 is
    no limit; behind it a queue of `queue_ms`, and what does not fit is lost.
    """

    loss: float = 0.0
    burst_loss: float = 0.0
    burst_packets: float = 5.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    reorder: float = 0.0
    reorder_ms: float = 50.0
    duplicate: float = 0.0
    rate_kbps: float = 0.0
    queue_ms: float = 300.0

    def __post_init__(self) -> None:
        for name in ("loss", "burst_loss", "reorder", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(
                    f"{name} {getattr(self, name):g} is not between 0 and 1", "0.05 is five percent"
                )
        for field in fields(self):
            if not 0 <= getattr(self, field.name) < math.inf:
                raise UsageError(f"{field.name} cannot be {getattr(self, field.name):g}", "give 0 or more")
        if self.burst_loss == 1 or self.burst_packets < 1:
            raise UsageError(
                "bursts need a burst_loss under 1 and 1 packet or more", "loss 1 loses everything"
            )
        if self.jitter_ms > self.delay_ms / 2:
            raise UsageError(
                f"jitter_ms {self.jitter_ms:g} is more than half of delay_ms {self.delay_ms:g}",
                "packets would have to arrive before they were sent; raise delay_ms",
            )

    @property
    def changed(self) -> dict[str, float]:
        """What differs from a clear path, by name."""
        return {k: v for k, v in asdict(self).items() if v != getattr(CLEAR, k)}

    @property
    def expected_loss(self) -> float:
        """The part that is lost in the long run, without the queue's overflow."""
        return self.burst_loss + (1 - self.burst_loss) * self.loss


CLEAR = Impairment()


@dataclass
class Counted:
    """What a path did. `late_seconds` is the sum of the delays of those that came out."""

    packets: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    late_seconds: float = 0.0

    @property
    def delay_ms(self) -> float:
        """The mean delay of what came out."""
        delivered = self.packets - self.lost
        return 1000 * self.late_seconds / delivered if delivered else 0.0


class Path:
    """One direction of a network. The same seed and the same packets give the same fate."""

    def __init__(self, impairment: Impairment, rng: random.Random, counted: Counted | None = None) -> None:
        self.impairment = impairment
        self.counted = counted or Counted()
        self._rng = rng
        self._in_burst = False
        self._burst_step_at: float | None = None
        self._wander = 0.0  # of the delay around its mean, in standard deviations
        self._wandered_at: float | None = None
        self._link_free_at = -math.inf
        self._last_out = -math.inf

    def send(self, now: float, size: int) -> list[float]:
        """When a packet of `size` bytes comes out; empty where it is lost."""
        self.counted.packets += 1
        # Everything that moves with time or with each packet moves for the lost ones too.
        delay = self._delay(now)
        if self._is_lost(now) or (queued := self._queued(now, size)) is None:
            self.counted.lost += 1
            return []
        out = max(now + queued + delay, self._last_out)
        self._last_out = out
        if self._happens(self.impairment.reorder):
            self.counted.reordered += 1
            out += self.impairment.reorder_ms / 1000
        self.counted.late_seconds += out - now
        if self._happens(self.impairment.duplicate):
            self.counted.duplicated += 1
            return [out, out]
        return [out]

    def _happens(self, part: float) -> bool:
        return part > 0 and self._rng.random() < part

    def _is_lost(self, now: float) -> bool:
        made = self.impairment
        if made.burst_loss:
            # The stationary part of the bad state is burst_loss, its mean length burst_packets steps. What is
            # left of the state after some steps is known without taking each (a Markov chain of two states).
            steps = self._burst_steps(now)
            leave = 1 / made.burst_packets
            enter = leave * made.burst_loss / (1 - made.burst_loss)
            kept = (1 - leave - enter) ** steps
            bad = made.burst_loss + ((1 - made.burst_loss) if self._in_burst else -made.burst_loss) * kept
            drawn = self._rng.random()  # for each packet, so that the next ones' fate hangs less on the clock
            if steps:
                self._in_burst = drawn < bad
            if self._in_burst:
                return True
        return self._happens(made.loss)

    def _burst_steps(self, now: float) -> int:
        """How many steps have passed since the last packet; the first one makes one."""
        if self._burst_step_at is None:
            self._burst_step_at = now
            return 1
        steps = int((now - self._burst_step_at) / BURST_STEP_SECONDS + 1e-6)
        self._burst_step_at += steps * BURST_STEP_SECONDS
        return steps

    def _queued(self, now: float, size: int) -> float | None:
        """Seconds of waiting for the link and of being sent over it; None where the queue is full."""
        if not self.impairment.rate_kbps:
            return 0.0
        begins = max(now, self._link_free_at)
        if begins - now > self.impairment.queue_ms / 1000:
            return None
        self._link_free_at = begins + size * 8 / (self.impairment.rate_kbps * 1000)
        return self._link_free_at - now

    def _delay(self, now: float) -> float:
        """An Ornstein-Uhlenbeck walk around the mean: normal in the long run, smooth in the short."""
        if not self.impairment.jitter_ms:
            return self.impairment.delay_ms / 1000
        passed = math.inf if self._wandered_at is None else now - self._wandered_at
        kept = math.exp(-passed / JITTER_MEMORY_SECONDS)
        self._wander = self._wander * kept + self._rng.gauss(0, 1) * math.sqrt(1 - kept * kept)
        self._wandered_at = now
        return max(0.0, self.impairment.delay_ms + self._wander * self.impairment.jitter_ms) / 1000
