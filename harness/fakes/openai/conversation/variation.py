"""The freedoms that the API leaves are used, so that no client is tested against one order and size only."""

from __future__ import annotations

import random


class Variation:
    """Choices of one conversation, from its seeded source; without one, always the plainest."""

    def __init__(self, rng: random.Random | None) -> None:
        self._rng = rng
        self.tells_phase = self.either()

    def either(self) -> bool:
        """Whether to take the less plain of two orders."""
        return self._rng is not None and self._rng.random() < 0.5

    def reasoning_tokens(self) -> int:
        """What a model that reasons spends on it in one response."""
        return self._rng.randint(0, 60) if self._rng else 0

    def words_per_delta(self) -> int:
        """Transcripts and texts come in pieces of one to four words."""
        return self._rng.randint(1, 4) if self._rng else 2

    def deltas(self, text: str) -> list[str]:
        """The text in pieces that join to it again."""
        words = text.split(" ")
        pieces: list[str] = []
        while words:
            count = self.words_per_delta()
            pieces.append(" ".join(words[:count]))
            words = words[count:]
        return [piece if i == 0 else f" {piece}" for i, piece in enumerate(pieces)] if text else []

    def audio_delta_ms(self) -> int:
        """How much audio one `response.output_audio.delta` carries."""
        return self._rng.choice((100, 200, 300, 400)) if self._rng else 200
