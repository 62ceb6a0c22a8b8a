"""Faults in how the relay fails: when upstream failed, when the offer is bad, when the caller is gone."""

from __future__ import annotations

import asyncio

from starlette.responses import JSONResponse, Response

from harness.fakes.relay.hooks import RelayFault, relay_fault
from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.upstream import UpstreamReply

TRACEBACK = """Traceback (most recent call last):
  File "/srv/relay/app/voice/session.py", line 41, in create_session
    answer = parse_answer(upstream.json())
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
KeyError: 'sdp'
"""


class UpstreamFailureFault(RelayFault):
    """Acts when upstream failed, not when the caller's own request was refused."""

    async def refuse(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        if not refusal.code.startswith("upstream_"):
            return None
        return await self.misreport(refusal, reply)

    async def misreport(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        """What goes out instead of the honest response."""
        raise NotImplementedError


class BadOfferFault(RelayFault):
    """Acts when the caller's own request is refused."""

    async def refuse(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        if refusal.code.startswith("upstream_") or refusal.code == "unauthorized":
            return None
        return await self.mistreat(refusal)

    async def mistreat(self, refusal: Refusal) -> Response | None:
        """What goes out instead of the honest response."""
        raise NotImplementedError


@relay_fault(
    "upstream-error-as-sdp", "returns upstream's error body as if it were the answer", stage="upstream"
)
class UpstreamErrorAsSdp(UpstreamFailureFault):
    async def misreport(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        body = reply.body if reply is not None else refusal.message.encode()
        return Response(body, 200, media_type="application/sdp")


@relay_fault("failure-hidden", "says 200 when upstream failed", stage="upstream")
class FailureHidden(UpstreamFailureFault):
    async def misreport(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        return JSONResponse({"ok": True})


@relay_fault(
    "failure-hangs",
    "never answers once upstream has failed",
    stage="upstream",
    default=300.0,
    value_help="seconds of silence",
)
class FailureHangs(UpstreamFailureFault):
    async def misreport(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        await asyncio.sleep(float(self.value))
        return refusal.response()


@relay_fault("bad-offer-accepted", "says 200 to what is no offer", stage="request")
class BadOfferAccepted(BadOfferFault):
    async def mistreat(self, refusal: Refusal) -> Response | None:
        return JSONResponse({"ok": True})


@relay_fault("bad-offer-crash", "crashes on what is no offer", stage="request")
class BadOfferCrash(BadOfferFault):
    async def mistreat(self, refusal: Refusal) -> Response | None:
        return Response("Internal Server Error", 500, media_type="text/plain")


@relay_fault(
    "bad-offer-hangs",
    "never answers what is no offer",
    stage="request",
    default=300.0,
    value_help="seconds of silence",
)
class BadOfferHangs(BadOfferFault):
    async def mistreat(self, refusal: Refusal) -> Response | None:
        await asyncio.sleep(float(self.value))
        return refusal.response()


@relay_fault("stack-trace-exposed", "shows a stack trace in its error bodies", stage="security")
class StackTraceExposed(RelayFault):
    async def refuse(self, refusal: Refusal, reply: UpstreamReply | None) -> Response | None:
        return JSONResponse(
            {"error": {"code": refusal.code, "message": refusal.message, "trace": TRACEBACK}},
            refusal.status,
            headers=refusal.headers,
        )


@relay_fault("call-leaked", "leaves the upstream call alone when the caller is gone", stage="lifecycle")
class CallLeakedByRelay(RelayFault):
    abandons = True


@relay_fault(
    "hang-up-with-another-key", "ends a call with another key than the one that made it", stage="lifecycle"
)
class HangUpWithAnotherKey(RelayFault):
    hangs_up_with = "sk-another-project-of-the-relay"


@relay_fault("calls-held", "ends the calls that it made when it is stopped", stage="lifecycle")
class CallsHeld(RelayFault):
    holds_calls = True
