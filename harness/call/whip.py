"""A caller's verbs for a target that speaks WHIP (RFC 9725): none makes a call that is not ended at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from harness.call.host import Host
from harness.call.reconnecting import sign_of_loss
from harness.call.stopping import PlanStopped
from harness.core.dialects import SDP, TEXT
from harness.core.events import CallStarted, CandidateFound
from harness.core.limits import limit
from harness.core.probes import WHIP_END, WHIP_ENDPOINT, WHIP_SESSION, WHIP_STRANGER
from harness.signaling.reoffers import with_new_ice
from harness.signaling.sending import HttpReply, OpenSession
from harness.signaling.sessions import FRAGMENT, ask, end_sessions, fragment, opened

ANY, STALE = "*", '"no-tag-of-this-session"'


class WhipVerbs:
    """What a client may ask of a WHIP endpoint and of the session that it made. All do nothing elsewhere."""

    def __init__(self, caller: Host) -> None:
        self.caller = caller
        self._session: OpenSession | None = None  # the last that this caller had

    @property
    def is_spoken(self) -> bool:
        """Whether the target is one."""
        return self.caller.line.target.wrapping.sessions

    async def connect(self) -> None:
        """Connect; go on where a session was made whose media is not a voice relay's, as a broadcast's is."""
        self.caller.require("offer")
        try:
            await self.caller.connect()
        except PlanStopped:
            if self._current() is None:
                raise

    async def ask_endpoint(self) -> None:
        """What is no offer, where offers go: before one is sent, for it may not be answered."""
        if not self.is_spoken:
            return
        async with self.caller.step("ask the WHIP endpoint"):
            for case, method in (("options", "OPTIONS"), ("get", "GET"), ("other-method", "PUT")):
                await self._ask(method, self.caller.line.target.url, WHIP_ENDPOINT, case)
            await self._post("malformed", SDP, "This is no session description.\r\n")

    async def ask_session(self) -> None:
        """GET, and PATCH in each way that a session answers differently (section 4.3.1).

        And the offer once more, as a text, which no endpoint may accept.
        """
        if (session := self._current()) is None:
            return
        ufrag, offer = self.caller.line.end.ufrag, self.caller.line.end.offer
        part = fragment(offer, self._candidates())
        tag = [("If-Match", session.etag)] if session.etag else []
        async with self.caller.step("ask the WHIP session"):
            await self._ask("GET", session.url, WHIP_SESSION, "get")
            await self._patch(session, "wrong-type", part, tag, kind=TEXT)
            await self._patch(session, "malformed", "This is no fragment.\r\n", tag)
            await self._patch(session, "candidates", part, tag)
            # Of another name, so that a call that it makes all the same is not taken for this one.
            other = offer.replace(f"a=ice-ufrag:{ufrag}", f"a=ice-ufrag:{ufrag}+1")
            await self._post("wrong-type", TEXT, other)
            if session.etag:
                await self._patch(session, "unconditional", part, [])
                await self._patch(session, "stale", part, [("If-Match", STALE)])

    async def restart_ice(self) -> None:
        """New ICE credentials by PATCH (section 4.3.3). What is answered is not applied."""
        if (session := self._current()) is None:
            return
        part = fragment(with_new_ice(self.caller.line.end.offer), self._candidates())
        async with self.caller.step("restart ICE at the WHIP session"):
            await self._patch(session, "restart", part, [("If-Match", ANY)])

    async def end_as_stranger(self) -> None:
        """DELETE without credentials, where the target wants some: of a session that is not, and of ours."""
        session, target = self._current(), self.caller.line.target
        if session is None or not target.wants_credentials:
            return
        async with self.caller.step("hang up"):  # which it would be
            await self._delete(self._nobodys(session), WHIP_STRANGER, "unknown", credentials=False)
            await self._delete(session.url, WHIP_STRANGER, "live", credentials=False)

    async def end(self) -> None:
        """DELETE, with nothing else done to end the call; then wait for the other end to end it."""
        if self._current() is None:
            return
        line = self.caller.line
        started = line.timeline.first(CallStarted)
        within = limit(started.limits if started else {}, "release_s")
        async with self.caller.step("hang up"):
            replies = await end_sessions(line.sender, line.target, case="held")
            if any(reply is not None and reply.succeeded for reply in replies):
                await self.caller.until(
                    lambda: sign_of_loss(line.timeline) is not None, "the end of the session", within
                )

    async def end_again(self) -> None:
        """DELETE of the session that is over, and of one that never was."""
        if not self.is_spoken or self._session is None:
            return
        async with self.caller.step("DELETE what is over"):
            await self._delete(self._session.url, WHIP_END, "over")
            await self._delete(self._nobodys(self._session), WHIP_END, "unknown")

    def _candidates(self) -> list[tuple[str, int]]:
        found = self.caller.line.timeline.all(CandidateFound)
        return [(each.address, each.port) for each in found if each.type == "host"]

    def _current(self) -> OpenSession | None:
        sessions = self.caller.line.sender.sessions
        if self.is_spoken and sessions:
            self._session = sessions[-1]
            return self._session
        return None

    def _nobodys(self, session: OpenSession) -> str:
        """The URL of a session of which the target cannot know."""
        parts = urlsplit(session.url)
        name = hashlib.sha256(f"{self.caller.line.seed}/{self.caller.line.end.ufrag}".encode()).hexdigest()
        path = f"{parts.path.rstrip('/').rpartition('/')[0]}/{name[:32]}"
        return urlunsplit(parts._replace(path=path))

    async def _post(self, case: str, kind: str, content: str) -> None:
        line = self.caller.line
        headers = [("Content-Type", kind)]
        reply = await self._ask(
            "POST", line.target.url, WHIP_ENDPOINT, case, content=content, headers=headers
        )
        if reply is None or not reply.succeeded:
            return
        before = len(line.sender.sessions)
        opened(line.sender, line.target, line.target.url, reply, purpose=WHIP_ENDPOINT)
        for session in line.sender.sessions[before:]:
            line.sender.sessions.remove(session)
            await self._delete(session.url, WHIP_END, case)

    async def _patch(
        self,
        session: OpenSession,
        case: str,
        content: str,
        tag: Sequence[tuple[str, str]],
        kind: str = FRAGMENT,
    ) -> None:
        headers = [("Content-Type", kind), *tag]
        await self._ask("PATCH", session.url, WHIP_SESSION, case, content=content, headers=headers)

    async def _delete(self, url: str, purpose: str, case: str, *, credentials: bool = True) -> None:
        line = self.caller.line
        await ask(
            line.sender, line.target, "DELETE", url, purpose=purpose, case=case, credentials=credentials
        )

    async def _ask(
        self,
        method: str,
        url: str,
        purpose: str,
        case: str,
        *,
        content: str = "",
        headers: Sequence[tuple[str, str]] = (),
    ) -> HttpReply | None:
        line = self.caller.line
        return await ask(
            line.sender,
            line.target,
            method,
            url,
            purpose=purpose,
            case=case,
            content=content,
            headers=headers,
        )
