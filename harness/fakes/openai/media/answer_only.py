"""A call that is answered and goes no further: no socket, no ICE, no DTLS. For load by offers alone."""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import Callable, Sequence

from harness.core.sdp import Candidate, SessionDescription
from harness.fakes.openai.media.answer import write_answer
from harness.fakes.openai.media.hooks import AnswerFault
from harness.peer.written import WrittenTransport, drawn_fingerprint

LETTERS = string.ascii_letters + string.digits
UFRAG, PWD = 8, 24  # characters
NEVER_CONNECTED = "never-connected"


class AnswerOnly:
    """The medium of such a call: a name, and a timer that ends it, since nobody ever connects."""

    def __init__(
        self,
        offer: SessionDescription,
        *,
        address: str,
        setup: str,
        seconds: float,
        faults: Sequence[AnswerFault],
        rng: random.Random,
        on_ended: Callable[[str], None],
    ) -> None:
        self._offer = offer
        self._setup = setup
        self._faults = faults
        self._rng = rng
        self._on_ended = on_ended
        self._ended = False
        self._transport = WrittenTransport(
            ufrag="".join(rng.choices(LETTERS, k=UFRAG)),
            pwd="".join(rng.choices(LETTERS, k=PWD)),
            fingerprint=drawn_fingerprint(rng),
            candidates=(Candidate("1", 1, "udp", 2_130_706_431, address, 3478, "host"),),
            lite=True,
        )
        self._timer = asyncio.get_running_loop().call_later(seconds, self.end, NEVER_CONNECTED)

    def answer(self) -> str:
        """The SDP, with the faults that this call meets."""
        ssrc = self._rng.randrange(1, 2**32)
        answer = write_answer(self._offer, self._transport, ssrc=ssrc, setup=self._setup)
        for wrong in self._faults:
            answer = wrong.answer(answer)
        return answer

    def end(self, reason: str, *, goodbye: bool = True) -> None:  # noqa: ARG002  (nobody is there to be told)
        """Release the call; the first reason stands."""
        if not self._ended:
            self._ended = True
            self._timer.cancel()
            self._on_ended(reason)

    async def closed(self) -> None:
        """Nothing is ever left."""
