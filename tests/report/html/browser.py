"""A real Chromium, without a screen: pages as readers have them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from playwright.async_api import Browser, Page, async_playwright

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
DESK, PHONE = (1280, 900), (390, 844)


@asynccontextmanager
async def chromium(program: str, *more: str) -> AsyncIterator[Browser]:
    """The browser of the system, with these arguments more. What it leaves behind goes with it."""
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=program, args=[*ARGUMENTS, *more], env={**os.environ, "TMPDIR": folder}
            )
            try:
                yield browser
            finally:
                await browser.close()


class Seen:
    """An open page, with everything that it asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requested: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    async def asks(self, script: str, *arguments: Any) -> Any:
        """Evaluate in the page, from outside of its Content Security Policy."""
        return await self.page.evaluate(script, *arguments)

    async def unfold(self) -> None:
        """Open everything that is folded away."""
        await self.asks("document.querySelectorAll('details').forEach(each => each.open = true)")


@asynccontextmanager
async def opened(
    browser: Browser,
    file: Path,
    *,
    size: tuple[int, int] = DESK,
    scheme: Literal["light", "dark"] = "light",
    fragment: str = "",
) -> AsyncIterator[Seen]:
    """The file, opened from the disk, with the network off."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, offline=True
    )
    try:
        seen = Seen(await context.new_page())
        await seen.page.goto(file.as_uri() + fragment)
        yield seen
    finally:
        await context.close()
