"""How a web page is used: its buttons, its microphone, its language, who is logged in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from harness.core.errors import UsageError
from harness.core.nearest import meant

MicrophoneMood = Literal["willing", "slow", "denied", "missing"]
MOODS: tuple[MicrophoneMood, ...] = get_args(MicrophoneMood)


@dataclass(frozen=True)
class PageOptions:
    """`start`: Playwright selectors, pressed in this order; none: the button is found.

    `stop`: that of the button that ends the call; empty: found, or else the page is closed. `microphone`: how
    getUserMedia is answered. `language`: the browser's, as in Accept-Language. `storage_state`: a file of
    Playwright's with the cookies of somebody who is logged in. `clicks`: on the last button; 2 is a double
    click. `url`: where the page is, from the target on; empty: the target is the page.
    """

    start: tuple[str, ...] = ()
    stop: str = ""
    microphone: MicrophoneMood = "willing"
    language: str = ""
    storage_state: Path | None = None
    clicks: int = 1
    url: str = ""

    def __post_init__(self) -> None:
        if self.microphone not in MOODS:
            raise UsageError(f"there is no microphone {self.microphone!r}", meant(self.microphone, MOODS))
        if self.storage_state is not None and not self.storage_state.is_file():
            raise UsageError(
                f"there is no file {self.storage_state}",
                "save one with `playwright open --save-storage FILE URL`: log in there, and close the window",
            )

    def over(self, named: PageOptions | None) -> PageOptions:
        """These, and what they leave open as harness.toml has it."""
        if named is None:
            return self
        return replace(
            self,
            start=self.start or named.start,
            stop=self.stop or named.stop,
            language=self.language or named.language,
            storage_state=self.storage_state or named.storage_state,
            url=self.url or named.url,
        )
