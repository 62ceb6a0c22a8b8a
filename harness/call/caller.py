"""The caller: what a scenario says and does, in words of a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from harness.call.by_ear import ByEar
from harness.call.host import CallAgain
from harness.call.impairing import NetworkVerbs, record_impairment
from harness.call.line import CallLine
from harness.call.playing_out import NOTHING_HEARD_SECONDS, asked_at, is_played_out
from harness.call.probing import Probes
from harness.call.reconnecting import Reconnecting
from harness.call.stopping import PlanStopped
from harness.call.visiting import PageVerbs
from harness.call.waiting import Waiter
from harness.call.whip import WhipVerbs
from harness.core.caller_end import (
    ChannelClosedError,
    MessageTooLongError,
    NotConnectedError,
    SdpUnusableError,
)
from harness.core.callers import Verb
from harness.core.events import (
    AnswerRejected,
    MicrophoneChanged,
    ServerEvent,
    StepEnded,
    StepStarted,
    UtteranceEnded,
    UtteranceStarted,
    VerbUnavailable,
    WaitExpired,
)
from harness.core.fields import tables, text
from harness.core.probes import CONNECT

MEDIA_SECONDS = 5.0  # for the media path to come up behind the channel
INTERRUPTED_AFTER_SECONDS = 1.0  # of a reply's audio


class Caller:
    """The verbs of a call. Each is a step on the timeline; one that fails ends the plan.

    What is not said in a conversation stands in groups: `network` makes it worse, `probe` asks what a
    careless relay does not bear, `reconnect` loses the call and has another, `whip` asks a session by HTTP,
    `page` is of a web page's user.

    `line` is that of the call it is in; `lines` are all that it had, and those it opened for others.
    """

    def __init__(self, line: CallLine, call_again: CallAgain | None = None) -> None:
        self.call_again = call_again
        self.lines: list[CallLine] = []
        self.network = NetworkVerbs(self)
        self.probe = Probes(self)
        self.reconnect = Reconnecting(self)
        self.page = PageVerbs(self)
        self.whip = WhipVerbs(self)
        self.take_up(line)

    def take_up(self, line: CallLine) -> None:
        """From now on the verbs are about the call of this line."""
        self.line = line
        self.lines.append(line)
        self._waiter = Waiter(line.timeline)
        self._ear = None if line.target.passes_events else ByEar(self)
        self._events_sent = 0
        self._hung_up = False

    def another(self, line: CallLine) -> Caller:
        """Somebody else, with a call of its own."""
        return Caller(line)

    # --- the call ---

    async def connect(self) -> None:
        """Offer, answer, ICE, DTLS, the data channel open, and `session.created`."""
        async with self.step(CONNECT):
            with self._not_connected():
                await self.line.end.connect(self._exchanged)
            await self._open()

    async def hang_up(self) -> None:
        """End the call as a page does: its session where it has one (WHIP), channel, transport, tracks."""
        if self._hung_up:
            return
        self._hung_up = True
        async with self.step("hang up"):
            await self.line.close()
            record_impairment(self.line)

    async def drop(self) -> None:
        """Be gone without a goodbye, as a phone in a tunnel."""
        self.require("vanish")
        self._hung_up = True
        async with self.step("drop"):
            try:
                await self.line.end.vanish()
            finally:
                self.line.link.close()

    # --- the session ---

    async def update_session(self, **session: Any) -> ServerEvent:
        """Send `session.update` and wait for `session.updated` or its refusal."""
        async with self.step("update session"):
            event_id = self.send({"type": "session.update", "session": {"type": "realtime", **session}})

            def ours(event: ServerEvent) -> bool:
                return event.type != "error" or text(event.event, "error", "event_id") == event_id

            return await self.event("session.updated", "error", within=self.line.timeouts.update, where=ours)

    def send(self, event: dict[str, Any]) -> str:
        """Send a client event; returns its event_id, one of ours where it has none."""
        self.require("send")
        self._events_sent += 1
        event_id = str(event.get("event_id") or f"evt_{self.line.end.ufrag}_{self._events_sent}")
        try:
            self.line.end.send({"event_id": event_id, **event})
        except (ChannelClosedError, MessageTooLongError) as error:
            raise PlanStopped(str(error)) from error
        return event_id

    async def wait_for(self, *types: str, within: float) -> ServerEvent:
        """The next server event of one of the types that no earlier wait took."""
        if self._ear is not None:
            self.require("send")
        async with self.step(f"wait for {' or '.join(types)}"):
            return await self.event(*types, within=within)

    # --- the voice ---

    async def say(self, clip: str) -> None:
        """Speak a clip of the fixtures to its end."""
        # A recording's first use reads it: off the loop, which paces every call of the process.
        recorded = await asyncio.to_thread(self.line.library.clip, clip)
        hums = recorded.role == "backchannel"
        async with self.step(f"say {clip}"):
            line = self.line

            def started() -> None:
                line.record(
                    UtteranceStarted(
                        at=line.now(),
                        clip=clip,
                        duration_ms=recorded.duration_ms,
                        speech=() if hums else tuple(recorded.speech),
                        transcript=recorded.transcript,
                        muted=line.end.muted,
                        backchannel=hums,
                        noise_db=recorded.noise_db,
                    )
                )

            def ended(cut: bool) -> None:
                line.record(UtteranceEnded(at=line.now(), clip=clip, cut=cut))

            try:
                # A clip's first use decodes it: off the loop, which paces every call of the process.
                await asyncio.to_thread(lambda: recorded.samples)
                async with asyncio.timeout(recorded.duration_ms / 1000 + MEDIA_SECONDS):
                    await line.end.say(recorded, started, ended)
            except TimeoutError as error:
                raise PlanStopped("the media path is not up, so nothing can be said") from error

    async def stay_silent(self, seconds: float) -> None:
        """Say nothing; packets of silence flow on."""
        async with self.step(f"stay silent {seconds:g} s"):
            await asyncio.sleep(seconds)

    def mute(self) -> None:
        """Replace what is said by silence, as a muted track does."""
        self._microphone(muted=True)

    def unmute(self) -> None:
        """Let the voice through again."""
        self._microphone(muted=False)

    def stop_sending(self) -> None:
        """Send no packet at all, not even silence, until `resume_sending`."""
        self.require("send-nothing")
        self.line.end.send_nothing(stopped=True)

    def resume_sending(self) -> None:
        """Let packets flow again."""
        self.require("send-nothing")
        self.line.end.send_nothing(stopped=False)

    async def hear_reply(self) -> None:
        """Wait for a response to be done, and for its audio to have been played to the end."""
        line = self.line
        timeouts, timeline = line.timeouts, line.timeline

        def is_heard() -> bool:
            return line.end.heard.last_audible > asked_at(timeline)

        def is_over(done_at: float) -> bool:
            last_audible = line.end.heard.last_audible
            return is_played_out(timeline, line.now(), last_audible=last_audible, done_at=done_at)

        async with self.step("hear the reply"):
            if self._ear is not None:
                await self._ear.wait_for_sound()
                await self._ear.wait_for_quiet()
                return
            created = await self.event("response.created", "response.done", within=timeouts.turn)
            done = created
            if created.type == "response.created":
                done = await self.event("response.done", within=timeouts.reply)
            while _only_calls_functions(done):  # whoever runs them asks for the reply proper
                following = await self._waiter.server_event("response.done", within=timeouts.turn)
                if following is None:
                    break
                done = following
            # What was done without audio may be followed by what is heard: it is listened for, not awaited.
            if _has_audio(done) or await self._waiter.condition(is_heard, NOTHING_HEARD_SECONDS):
                await self.until(lambda: is_over(done.at), "the end of the reply's audio", timeouts.reply)

    async def hear_reply_or_ask_again(self, clip: str) -> None:
        """Hear the reply; where none comes, say the clip once more."""
        try:
            await self.hear_reply()
        except PlanStopped:
            await self.say(clip)
            await self.hear_reply()

    async def is_answered(self, within: float) -> bool:
        """Wait for a reply to what was just said to begin, as long as somebody has patience."""
        said = self.line.timeline.last(UtteranceStarted)  # a clip may end in a silence long enough to reply
        since = said.at if said else 0.0

        def began() -> bool:
            if self._ear is not None:
                return self._ear.answered
            created = self.line.timeline.server_events("response.created", after=since)
            if not created:
                return False
            started = self.line.timeline.server_events("output_audio_buffer.started", after=since)
            return bool(started) or self.line.end.heard.last_audible > created[0].at

        async with self.step(f"wait {within:g} s for an answer"):
            return await self._waiter.condition(began, within)

    async def interrupt(self, clip: str) -> None:
        """Let the next reply play for a second, then speak a clip into it."""
        timeouts = self.line.timeouts
        async with self.step("hear the reply begin"):
            if self._ear is not None:
                await self._ear.wait_for_sound()
            else:
                created = await self.event("response.created", within=timeouts.turn)
                heard = self.line.end.heard
                await self.until(lambda: heard.last_audible > created.at, "the reply's audio", timeouts.turn)
            await asyncio.sleep(INTERRUPTED_AFTER_SECONDS)
        await self.say(clip)
        if self._ear is not None:
            return
        # What was interrupted is done, by now or soon; the next response.done is another reply's.
        async with self.step("wait for the interrupted response to be done"):
            await self.event("response.done", within=timeouts.reply)

    # --- what verbs are made of ---

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[None]:
        """A step on the timeline, with why it failed where it did."""
        self.line.record(StepStarted(at=self.line.now(), step=name))
        try:
            yield
        except PlanStopped as stopped:
            self.line.record(StepEnded(at=self.line.now(), step=name, failed=str(stopped)))
            raise
        self.line.record(StepEnded(at=self.line.now(), step=name))

    async def apply_answer(self, answer: str) -> None:
        with self._not_connected():
            self.line.end.accept_answer(answer)
        await self._open()

    def require(self, verb: Verb) -> None:
        """Go on where this kind of caller can do it; else its calls end as not applicable, and say why."""
        kind = self.line.kind
        reason = kind.cannot.get(verb)
        if reason is None and verb == "send" and self._ear is not None:
            reason = "the target passes no events of OpenAI's to its callers, nor theirs to OpenAI"
        if reason is None:
            return
        for line in self.lines:
            line.record(VerbUnavailable(at=line.now(), verb=verb, caller=kind.name, reason=reason))
        raise PlanStopped(f"a caller of the kind {kind.name} cannot {verb}: {reason}")

    async def _exchanged(self, offer: str) -> str:
        await self.reconnect.named(offer)
        answer = await self.line.exchange(offer)
        refused = answer is None or not answer.startswith("v=0")
        # A caller that comes back is timed, and its first call's offer was accepted.
        if refused and self.line.explain_refusal is not None and self.line is self.lines[0]:
            await self.line.explain_refusal(self.line)
        if answer is None:
            raise NotConnectedError("no answer")
        return answer

    @contextmanager
    def _not_connected(self) -> Iterator[None]:
        try:
            yield
        except NotConnectedError as error:
            raise PlanStopped(str(error)) from error
        except SdpUnusableError as error:
            self.line.record(AnswerRejected(at=self.line.now(), reason=str(error)))
            raise PlanStopped(f"the answer cannot be applied: {error}") from error

    async def _open(self) -> None:
        timeouts = self.line.timeouts
        await self.until(self._channel_decided, "the data channel", timeouts.channel)
        if self.line.end.channel_state != "open":
            raise PlanStopped("the data channel did not open")
        if self._ear is not None:
            await self._ear.say_whose_call_it_is()
        else:
            await self.event("session.created", within=timeouts.created)

    async def event(
        self, *types: str, within: float, where: Callable[[ServerEvent], bool] | None = None
    ) -> ServerEvent:
        what = " or ".join(types)
        found = await self._waiter.server_event(*types, within=within, where=where)
        if found is None:
            self.line.record(WaitExpired(at=self.line.now(), what=what, within=within))
            raise PlanStopped(f"{what} did not come within {within:g} s")
        return found

    async def until(self, holds: Callable[[], bool], what: str, within: float) -> None:
        if not await self._waiter.condition(holds, within):
            self.line.record(WaitExpired(at=self.line.now(), what=what, within=within))

    def _channel_decided(self) -> bool:
        timeline = self.line.timeline
        return self.line.end.channel_state == "open" or any(
            timeline.state(layer, state) for layer in ("ice", "dtls") for state in ("failed", "closed")
        )

    def _microphone(self, *, muted: bool) -> None:
        self.require("mute")
        self.line.end.mute(muted=muted)
        self.line.record(MicrophoneChanged(at=self.line.now(), muted=muted))


def _output(done: ServerEvent) -> list[dict[str, Any]]:
    return tables(done.event, "response", "output")


def _only_calls_functions(done: ServerEvent) -> bool:
    kinds = {text(item, "type") for item in _output(done)}
    return kinds == {"function_call"}


def _has_audio(done: ServerEvent) -> bool:
    parts = [part for item in _output(done) for part in tables(item, "content")]
    return any(text(part, "type") in ("audio", "output_audio") for part in parts)
