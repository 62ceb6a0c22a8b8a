"""The watch itself: look, remember, tell, wait; and none of its looks or alerts can end it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from harness.cli.examining import Examined
from harness.cli.watching.alerting import alert, post, run_command
from harness.cli.watching.looking import Look, broken, in_words, look, look_of, network_of
from harness.cli.watching.memory import Memory, Spans, is_quiet, pace
from harness.config.run import RunSettings
from harness.core.clock import Clock, MonotonicClock, local_minute, unix_time, written_time
from harness.core.dialects import DIALECTS, OWN
from harness.core.errors import UsageError
from harness.core.exit_codes import INCONCLUSIVE
from harness.report.files import write_run
from harness.report.html import FILE, write_html
from harness.report.telemetry import send_run
from harness.run.model import EXIT_CODES, Run, RunVerdict
from harness.speech.library import load_library

LOOK_SECONDS = 180.0  # a look that takes longer has come to nothing
ASK_AGAIN_SECONDS = 60.0  # an alert that could not be sent, or the end of quiet hours
MEMORY = "watch.json"
LARGEST_MEMORY = 8 << 20  # bytes
LAST, CHANGES = "last", "changes"  # folders: the last look's report, and one for each cause that began
MOST_CHANGES = 20
STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z")

LookAtRelay = Callable[[RunSettings], Awaitable[tuple[Run, Examined | None]]]


@dataclass(frozen=True)
class Ways:
    """Who is told, and when nobody is: spans of minutes of the day."""

    command: Sequence[str] | None = None
    webhook: str | None = None
    exits: bool = False
    quiet: Spans = ()

    def names(self) -> list[str]:
        """Those in use, as the memory knows them; a line on the terminal is always one."""
        used = {"line": True, "command": self.command, "webhook": self.webhook, "exit": self.exits}
        return [name for name, there in used.items() if there]


@dataclass
class WatchedRelay:
    """One relay, what is known of it, and who is told. `every`: seconds; `budget`: USD in 24 hours."""

    settings: RunSettings
    ways: Ways
    memory: Memory
    every: int
    after: int
    budget: float | None
    tell: Callable[[str], None]
    look: LookAtRelay = look
    clock: Clock = MonotonicClock()  # noqa: RUF009  (it has no state)
    minute: Callable[[], int] = local_minute
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep

    @classmethod
    def begin(
        cls,
        settings: RunSettings,
        ways: Ways,
        *,
        every: int,
        after: int,
        budget: float | None,
        tell: Callable[[str], None],
    ) -> WatchedRelay:
        """Goes on with what an earlier watch of this relay left in the reports folder."""
        memory = remembered(settings.reports / MEMORY, settings.the_target.shown_url, tell)
        return cls(settings, ways, memory, every, after, budget, tell)

    async def watch(self, looks: int | None) -> int:
        """Until so many looks were due, or an alert ends it: gives the exit status. Raises UsageError.

        Only the first look may raise: what cannot be used then never can.
        """
        at, made, hinted = self.clock.now(), 0, ""
        while True:
            await self._turn(is_first=made == 0)
            made += 1
            if (hint := pace(self.memory, self.every, self.budget)) and hint != hinted:
                self.tell(hint)
                hinted = hint
            # From beginning to beginning; what was missed by a long look, or in sleep, is not made up for.
            at = max(at + self.every, self.clock.now())
            is_last = looks is not None and made >= looks
            ending = await self._alert_until(self.clock.now() if is_last else at)
            if ending is not None:
                return ending
            if is_last:
                last = self.memory.last
                return INCONCLUSIVE if self.memory.paused or last is None else EXIT_CODES[last.verdict]

    async def _alert_until(self, end: float) -> int | None:
        """Tell who is to be told, now and each minute until then; the exit status, if one ends the watch."""
        while True:
            ending = await self.alert()
            left = end - self.clock.now()
            if ending is not None or left <= 0:
                return ending
            await self.wait(min(left, ASK_AGAIN_SECONDS))

    async def alert(self) -> int | None:
        """Tell each way that was told something else last; one that fails is tried again later.

        Gives the exit status where one of them is to end the watch.
        """
        ending = None
        if is_quiet(self.minute(), self.ways.quiet):
            return None
        memory = self.memory
        for way in memory.due(self.ways.names()):
            told = alert(memory, way, str(self.settings.reports / LAST / FILE))
            problem = ""
            match way:
                case "line":
                    self.tell(f"{written_time(unix_time())}  ALERT  {told['text']}")
                case "command":
                    problem = await run_command(self.ways.command or (), told)
                case "webhook":
                    problem = await post(self.ways.webhook or "", told)
                case _:
                    if not memory.holds.is_good:
                        ending = _exit_code(memory.holds.word)
            if problem:
                memory.undelivered += 1
                self.tell(problem)
            else:
                memory.told[way] = memory.holds
                memory.alerts += way in ("command", "webhook")
        self._keep()
        return ending

    async def _turn(self, *, is_first: bool) -> None:
        now, before = unix_time(), self.memory.holds
        if why := self.memory.refusal(self.budget, now):
            if not self.memory.paused:
                self.tell(f"{written_time(now)}  paused: {why}")
            self.memory.pause(why, now)
            return self._keep()
        found = await self._looked(is_first=is_first)
        self.memory.add(found, after=self.after)
        said = "; ".join(found.causes) or found.why
        self.tell(f"{written_time(found.at)}  {found.verdict.value}" + (f": {said}" if said else ""))
        if self.memory.holds != before and not self.memory.holds.is_good:
            self._keep_evidence(found)
        return self._keep()

    async def _looked(self, *, is_first: bool) -> Look:
        reports = self.settings.reports / LAST
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                run, examined = await self.look(replace(self.settings, reports=reports))
            write_run(run, reports)
            write_html(run, reports, load_library())
            if self.settings.telemetry:
                for line in await asyncio.to_thread(send_run, run):
                    self.tell(line)
        except UsageError as error:
            if is_first:
                raise
            return broken(in_words(error))
        except TimeoutError:
            return broken(f"the look did not end within {LOOK_SECONDS:g} s")
        except Exception as error:  # whatever it is: a watch that ended at night is no watch
            return broken(in_words(error))
        if run.verdict is RunVerdict.CONFORMING and examined is not None:
            self.settings = spoken_to_as(self.settings, examined)
        return look_of(run, has_network=network_of(self.settings.the_target.host))

    def _keep(self) -> None:
        """What a watch that is started again goes on with. A full disk is said, and survived."""
        place = self.settings.reports / MEMORY
        try:
            place.with_suffix(".new").write_bytes(msgspec.json.encode(self.memory))
            os.replace(place.with_suffix(".new"), place)
        except OSError as error:
            self.tell(f"what the watch knows cannot be kept: {error.strerror or error}")

    def _keep_evidence(self, found: Look) -> None:
        """The report of a cause that begins, beside those of the last ones."""
        folder = self.settings.reports / CHANGES
        stamp = written_time(found.at).replace(" UTC", "Z").replace(" ", "T").replace(":", "")
        try:
            shutil.copytree(self.settings.reports / LAST, folder / stamp, dirs_exist_ok=True)
            kept = sorted(path for path in folder.iterdir() if STAMP.fullmatch(path.name))
            for old in kept[:-MOST_CHANGES]:
                shutil.rmtree(old)
        except (OSError, shutil.Error) as error:
            why = getattr(error, "strerror", None) or "copying failed"
            self.tell(f"the report of this change cannot be kept: {why}")


def remembered(place: Path, target: str, tell: Callable[[str], None]) -> Memory:
    """What the file holds of this target; a new memory where it holds nothing of use."""
    try:
        with place.open("rb") as file:
            kept = msgspec.json.decode(file.read(LARGEST_MEMORY), type=Memory)
    except FileNotFoundError:
        return Memory(target=target)
    except (OSError, msgspec.DecodeError) as error:
        tell(f"{place} cannot be read, so this watch begins anew: {in_words(error)}")
        return Memory(target=target)
    return kept if kept.target == target else Memory(target=target)


def spoken_to_as(settings: RunSettings, examined: Examined) -> RunSettings:
    """The settings with what a search found: the next look need not search, and each offer may be billed."""
    found, target = examined.dialect, settings.the_target
    if settings.dialect_given or target.is_websocket or examined.token is not None:
        return settings
    name = found.name if DIALECTS.get(found.name) == found else OWN
    target = replace(target, dialect=name, own_dialect=found if name == OWN else target.own_dialect)
    return replace(settings, target=target, dialect=name, dialect_given=True)


def _exit_code(word: str) -> int:
    return EXIT_CODES[RunVerdict(word)] if word in list(RunVerdict) else INCONCLUSIVE
