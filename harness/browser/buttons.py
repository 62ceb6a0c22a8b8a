"""Which button to press: the one that was named, or the one that is obvious."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.core.errors import UsageError
from harness.core.printable import printable

if TYPE_CHECKING:
    from playwright.async_api import Frame, Locator, Page

Use = Literal["start", "stop", "mute"]

# What stands on them, in English and Spanish; beginnings of words.
WORDS: dict[Use, re.Pattern[str]] = {
    "start": re.compile(
        r"\b(start|begin|call|talk|speak|voice|dial|connect|mic|iniciar|inicia|empezar|empieza|comenzar|llamar|"
        r"llamada|hablar|habla|voz|conectar|🎤|🎙|📞)",
        re.IGNORECASE,
    ),
    "stop": re.compile(
        r"\b(stop|end|hang|leave|disconnect|finish|close call|colgar|cuelga|terminar|termina|finalizar|"
        r"finaliza|detener|cortar|desconectar|salir)|📵|☎",
        re.IGNORECASE,
    ),
    "mute": re.compile(r"\b(mute|silenciar|silencio)", re.IGNORECASE),
}
BUTTONS = "button, [role=button], input[type=button], input[type=submit], summary"
LOGIN = "input[type=password]"
POLL_SECONDS = 0.1
MOST_LISTED = 8
TEXT_LENGTH = 60


@dataclass(frozen=True)
class Button:
    """One that is on the page, with what stands on it."""

    locator: Locator
    text: str
    selector: str
    found: bool = False


class NoButtonError(UsageError):
    """The button that was wanted is not there."""


async def named_button(page: Page, selector: str, within: float) -> Button:
    """The first visible element of a Playwright selector, in any frame.

    Raises NoButtonError, with the buttons that there are, after `within` seconds, and UsageError for what is
    no selector.
    """
    from playwright.async_api import Error

    async def look() -> Button | None:
        for frame in page.frames:
            try:
                locator = frame.locator(selector).filter(visible=True).first
                if await locator.count():
                    return Button(locator, await _text(locator), selector)
            except Error as error:
                if "selector" in str(error).lower() and "closed" not in str(error).lower():
                    said = printable(str(error).splitlines()[0])
                    raise UsageError(
                        f"{selector!r} is no selector: {said}",
                        "Playwright's are meant: 'text=Start call', '#start', 'role=button[name=\"Start\"]'",
                    ) from error
        return None

    found = await _until(look, within)
    if found is None:
        raise NoButtonError(
            f"there is no button {selector!r} on the page{await described(page)}",
            "give its Playwright selector, such as 'text=Start call'",
        )
    return found


async def obvious_button(page: Page, use: Use, within: float) -> Button | None:
    """The one button whose words say that it does this; of several none, unless they say the same."""

    async def look() -> Button | None:
        buttons = [b for b in await all_buttons(page) if WORDS[use].search(b.text)]
        if use != "stop":
            buttons = [b for b in buttons if not WORDS["stop"].search(b.text)]
        return buttons[0] if len({b.text for b in buttons}) == 1 else None

    found = await _until(look, within)
    if found is None and use == "start" and not await wants_login(page):
        every = await all_buttons(page)
        found = every[0] if len(every) == 1 else None
    return found


async def all_buttons(page: Page) -> list[Button]:
    """Every visible button of every frame, in the order of the page."""
    from playwright.async_api import Error

    found: list[Button] = []
    for frame in page.frames:
        try:
            for locator in await _visible(frame, BUTTONS):
                text = await _text(locator)
                found.append(Button(locator, text, f'text="{text}"', found=True))
        except Error:  # the frame went away
            continue
    return found


async def described(page: Page) -> str:
    """What is there instead, for an error: `; there are: 'Log in', 'Help'`."""
    if await wants_login(page):
        return (
            f"; it asks for a login at {printable(page.url.partition('?')[0])}: log in with "
            "`playwright open --save-storage FILE URL`, and give that file with --storage-state"
        )
    texts = list(dict.fromkeys(b.text for b in await all_buttons(page) if b.text))
    if not texts:
        return "; there is no button at all"
    more = ", …" if len(texts) > MOST_LISTED else ""
    return f"; there are: {', '.join(repr(printable(t)) for t in texts[:MOST_LISTED])}{more}"


async def wants_login(page: Page) -> bool:
    """Whether a password is asked for."""
    from playwright.async_api import Error

    for frame in page.frames:
        try:
            if await _visible(frame, LOGIN):
                return True
        except Error:
            continue
    return False


async def _visible(frame: Frame, selector: str) -> Sequence[Locator]:
    return await frame.locator(selector).filter(visible=True).all()


async def _text(locator: Locator) -> str:
    """What stands on it, else what it is called for those who do not see it."""
    said = (await locator.inner_text()).strip()
    for name in ("aria-label", "value", "title"):
        said = said or (await locator.get_attribute(name) or "").strip()
    return " ".join(said.split())[:TEXT_LENGTH]


async def _until(look: Callable[[], Awaitable[Button | None]], within: float) -> Button | None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while (found := await look()) is None and loop.time() < deadline:  # noqa: ASYNC110  (a page gives no event)
        await asyncio.sleep(POLL_SECONDS)
    return found
