"""The reference relay and the fake OpenAI in a process of their own, as a deployed relay would be.

The child lives exactly as long as its standard input is open: when its parent stops it, or dies, it ends.
Its own side is `embedded_child`, which the parent does not import: it need not wait for two servers to load.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import urlsplit

import msgspec

from harness.config.run import RunSettings
from harness.core.clock import Clock, MonotonicClock
from harness.core.dialects import DEFAULT_DIALECT, DIALECTS, Dialect, dialect_named
from harness.core.errors import HarnessError
from harness.fakes import children
from harness.fakes.openai.hearing.detectors import Engine
from harness.fakes.relay.settings import SESSION_PATH
from harness.platform.pipes import WaitedPipe

# Two seconds as a rule; several that start side by side from a cold disk take their time.
START_SECONDS = 60.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.02
RESTART_SPARE = b"restart\n"
CHILD = "harness.fakes.embedded_child"


@dataclass(frozen=True)
class EmbeddedOptions:
    """What the pair is run with. `conversation`: settings of `ConversationSettings` by name.

    `fake_at` (HOST:PORT): the fake alone, there, for a relay that is not ours and whatever key it has.
    `gateway`: the relay ends the caller's WebRTC itself. `workers`: processes that share the fake's calls;
    with one, all is in the pair's own. `answers_only`, `answers_only_ufrags`: see `FakeSettings`.
    """

    fake_at: str = ""
    dialect: Dialect = DIALECTS[DEFAULT_DIALECT]
    relay_faults: tuple[str, ...] = ()
    fake_faults: tuple[str, ...] = ()
    vad: Engine = "silero"
    voice: str = "recorded"
    seed: int = 0
    bearer_token: str | None = None
    origins: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ("127.0.0.1",)
    ice_patience: float | None = 5.0
    workers: int = 1
    answers_only: bool = False
    answers_only_ufrags: str = ""
    gateway: bool = False
    conversation: Mapping[str, Any] = field(default_factory=dict)
    api_key: str = field(default_factory=lambda: f"sk-embedded-{secrets.token_urlsafe(24)}")


def options_for(settings: RunSettings, *, vad: Engine = "silero") -> EmbeddedOptions:
    """See `EmbeddedPair.for_run`."""
    if settings.target is not None:
        parts = urlsplit(settings.fake_openai)
        host = parts.hostname or ""
        return EmbeddedOptions(
            fake_at=f"{host}:{parts.port or 80}",
            addresses=("::1",) if host == "::1" else ("127.0.0.1",),
            seed=settings.seed,
            vad=vad,
        )
    return EmbeddedOptions(
        dialect=dialect_named(settings.dialect),
        seed=settings.seed,
        bearer_token=settings.bearer.get_secret_value() if settings.bearer else None,
        origins=(settings.origin,) if settings.origin else (),
        vad=vad,
    )


class PairReady(msgspec.Struct):
    """The child's line, when it began and after each restart: base URLs of relay, fake and spare relay."""

    relay: str
    fake: str
    spare: str


class EmbeddedPair:
    """Starts and stops the child: `async with`, `with`, or by hand. `relay` and `fake` are base URLs."""

    def __init__(self, options: EmbeddedOptions | None = None, clock: Clock | None = None) -> None:
        self.options = options or EmbeddedOptions()
        self.relay = ""
        self.fake = ""
        self.spare = ""
        self._clock = clock or MonotonicClock()
        self._process: children.Child | None = None
        self._errors: IO[bytes] | None = None
        self._said: WaitedPipe | None = None
        self._line = b""
        self._deadline = 0.0
        self._is_asked_to_stop = False

    @classmethod
    def for_run(cls, settings: RunSettings) -> Self:
        """What a run needs: without a target the pair, with one the fake where the target looks for it."""
        return cls(options_for(settings))

    @property
    def offer_url(self) -> str:
        """Where the relay takes offers."""
        return f"{self.relay}{SESSION_PATH}"

    @property
    def spare_offer_url(self) -> str:
        """The same for the spare relay."""
        return f"{self.spare}{SESSION_PATH}"

    async def restart_spare(self) -> None:
        """Stop the spare relay and start a new one at its address. Raises HarnessError."""
        if self._process is None or self._process.stdin is None:
            raise HarnessError("there is no spare relay to restart", "start the embedded pair first")
        self._line = b""
        self._deadline = self._clock.now() + START_SECONDS
        self._process.stdin.write(RESTART_SPARE)
        self._process.stdin.flush()
        while not self._is_ready(0.0):  # noqa: ASYNC110  (as below)
            await asyncio.sleep(POLL_SECONDS)

    # --- blocking ---

    def start(self) -> Self:
        """Return when both serve; raises HarnessError with the end of the child's errors otherwise."""
        self._launch()
        while not self._is_ready(POLL_SECONDS):
            pass
        return self

    def stop(self) -> None:
        """Return when the child is gone; idempotent."""
        self._begin_stop()
        while not self._is_stopped(POLL_SECONDS):
            pass

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- in an event loop ---

    async def __aenter__(self) -> Self:
        self._launch()
        try:
            while not self._is_ready(0.0):  # noqa: ASYNC110  (a process gives no event to wait for)
                await asyncio.sleep(POLL_SECONDS)
        except asyncio.CancelledError:
            self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._begin_stop()
        while not self._is_stopped(0.0):  # noqa: ASYNC110  (as above)
            await asyncio.sleep(POLL_SECONDS)

    @property
    def problem(self) -> str:
        """Why the pair ended by itself, with the end of its errors; `""` while it runs, or was stopped."""
        if self._process is None or self._is_asked_to_stop or (status := self._process.poll()) is None:
            return ""
        what = "the fake that the harness serves" if self.options.fake_at else "the embedded pair"
        how = f"was killed (signal {-status})" if status < 0 else f"ended by itself (status {status})"
        return f"{what} {how}: {self._tail() or 'is there memory enough?'}"

    # --- how ---

    def _launch(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (closed in _is_stopped)
        self._process = children.start(CHILD, self._errors)
        self._is_asked_to_stop = False
        assert self._process.stdout is not None  # noqa: S101  (asked for above)
        self._said = WaitedPipe(self._process.stdout)
        self._deadline = self._clock.now() + START_SECONDS
        self._line = b""
        assert self._process.stdin is not None  # noqa: S101  (likewise)
        with contextlib.suppress(BrokenPipeError):  # the child is gone already, which _is_ready will say
            self._process.stdin.write(msgspec.json.encode(self.options) + b"\n")
            self._process.stdin.flush()

    def _is_ready(self, within: float) -> bool:
        assert self._process is not None  # noqa: S101  (launched)
        assert self._said is not None  # noqa: S101  (likewise)
        if (chunk := self._said.read(within)) is not None:
            self._line += chunk
            if not chunk:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_SECONDS)
                self._failed("did not start")
        if b"\n" in self._line:
            ready = msgspec.json.decode(self._line.partition(b"\n")[0], type=PairReady)
            self.relay, self.fake, self.spare = ready.relay, ready.fake, ready.spare
            return True
        if self._clock.now() > self._deadline:
            self._failed(f"did not start within {START_SECONDS:g} s")
        return False

    def _failed(self, what: str) -> None:
        assert self._process is not None  # noqa: S101  (launched)
        killed = self.problem if (self._process.poll() or 0) < 0 else ""
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        tail = self._tail() or "they said nothing"
        self.stop()
        if killed:
            raise HarnessError(killed)
        raise HarnessError(f"the embedded relay and fake {what}: {tail}", "see what they said above")

    def _tail(self) -> str:
        if self._errors is None:
            return ""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-12:])

    def _begin_stop(self) -> None:
        if self._process is None:
            return
        self._deadline = self._clock.now() + STOP_SECONDS
        self._is_asked_to_stop = True
        assert self._process.stdin is not None  # noqa: S101  (asked for)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def _is_stopped(self, within: float) -> bool:
        if self._process is None:
            return True
        if self._clock.now() > self._deadline:
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within)
        if self._process.poll() is None:
            return False
        if self._process.stdout is not None:
            self._process.stdout.close()
        if self._errors is not None:
            self._errors.close()
        self._process = self._errors = None
        return True
