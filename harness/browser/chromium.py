"""Starting a whole Chromium, and closing it with nothing left behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from harness.core.errors import HarnessError
from harness.platform.ourselves import is_root

if TYPE_CHECKING:
    from playwright.async_api import Browser

# The system's. Chromium's headless shell is not among them: it refuses getUserMedia.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_SECONDS = 30.0

FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    # A microphone without a device and without a question; its sound is replaced by ours.
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # Host candidates are written as addresses, as with every page that has a microphone.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
)
# What Playwright adds for tests of pages and what would differ here from the browser of a user.
NOT_PLAYWRIGHTS = ("--headless", "--hide-scrollbars")

INSTALL = "pip install 'voice-relay-harness[browser]'"


@contextmanager
def _temporary_files_in(folder: str) -> Iterator[None]:
    """For processes that are started meanwhile: Playwright takes the environment as it is."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


@asynccontextmanager
async def chromium(*, autoplay: str = "", flags: Sequence[str] = ()) -> AsyncIterator[Browser]:
    """A Chromium for as many pages as are wanted; closed in any case.

    `autoplay`: Chromium's --autoplay-policy, where it is not to be that of users. Raises HarnessError in one
    line that says what to install.
    """
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError as error:
        raise HarnessError("this needs a browser, and Playwright is not installed", INSTALL) from error
    arguments = [*FLAGS, *flags]
    if is_root():
        arguments.append("--no-sandbox")  # which Chromium refuses to root
    if autoplay:
        arguments.append(f"--autoplay-policy={autoplay}")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    async with AsyncExitStack() as stack:
        # Of a browser, or a driver, that is killed nobody else clears up what it had written.
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="harness-browser-", ignore_cleanup_errors=True)
        )
        with _temporary_files_in(folder):
            playwright = await stack.enter_async_context(async_playwright())
        try:
            browser = await playwright.chromium.launch(
                executable_path=program,
                channel=None if program else "chromium",  # Playwright's own, whole and not the shell
                args=arguments,
                ignore_default_args=list(NOT_PLAYWRIGHTS),
                timeout=START_SECONDS * 1000,
                handle_sigint=False,  # the front door ends the call, and then the browser
                handle_sigterm=False,
                handle_sighup=False,
                env={**os.environ, "TMPDIR": folder},
            )
        except Error as error:
            said = str(error).strip().splitlines()
            raise HarnessError(
                f"Chromium does not start{f' ({program})' if program else ''}: {said[0] if said else error}",
                "install Chromium or Google Chrome, or run `playwright install chromium`",
            ) from error
        try:
            yield browser
        finally:
            await browser.close()
