"""Faults in what the relay makes of a good answer."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator

from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from websockets.asyncio.client import connect

from harness.fakes.relay.hooks import RelayFault, relay_fault
from harness.fakes.relay.upstream import UpstreamReply


class RelayAnswerFault(RelayFault):
    """Acts on successful responses only."""

    async def respond(self, response: Response) -> Response:
        return await self.spoil(response) if response.status_code < 300 else response

    async def spoil(self, response: Response) -> Response:
        """The response as it will be returned."""
        raise NotImplementedError


@relay_fault("answer-mutated", "parses the answer and writes it anew, with a line of its own", stage="answer")
class AnswerMutated(RelayFault):
    def answer(self, answer: bytes) -> bytes:
        return re.sub(rb"^s=[^\r\n]*", b"s=relay", answer, count=1, flags=re.MULTILINE)


@relay_fault("bare-line-feeds", "returns the answer with LF where CRLF was", stage="answer")
class BareLineFeeds(RelayFault):
    def answer(self, answer: bytes) -> bytes:
        return answer.replace(b"\r\n", b"\n")


@relay_fault("no-final-newline", "trims the answer", stage="answer")
class NoFinalNewline(RelayFault):
    def answer(self, answer: bytes) -> bytes:
        return answer.rstrip()


@relay_fault(
    "answer-empty-line", "joins the answer's sections anew, with an empty line between", stage="answer"
)
class AnswerEmptyLine(RelayFault):
    def answer(self, answer: bytes) -> bytes:
        return answer.replace(b"\r\nm=", b"\r\n\r\nm=")


@relay_fault("html-page", "returns a page where the answer should be", stage="answer")
class HtmlPage(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        return HTMLResponse("<!doctype html>\n<html><body><h1>Voice</h1></body></html>\n")


@relay_fault("json-wrapped", "wraps the answer in JSON where the dialect says SDP", stage="answer")
class JsonWrapped(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        return JSONResponse({"data": {"answer": bytes(response.body).decode("utf-8", "replace")}})


@relay_fault("empty-body", "returns success and nothing else", stage="answer")
class EmptyBody(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        return Response(b"", response.status_code, media_type=response.media_type)


@relay_fault(
    "wrong-media-type",
    "labels the answer wrongly",
    stage="answer",
    default="text/html",
    value_help="a media type",
)
class WrongMediaType(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        response.headers["Content-Type"] = str(self.value)
        return response


@relay_fault(
    "content-encoding-copied",
    "copies upstream's Content-Encoding onto a body that is decoded already",
    stage="answer",
)
class ContentEncodingCopied(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        response.headers["Content-Encoding"] = "gzip"
        return response


@relay_fault(
    "slow-answer", "answers late", stage="answer", default=4.0, value_help="seconds before the answer"
)
class SlowAnswer(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        await asyncio.sleep(float(self.value))
        return response


@relay_fault(
    "created-refused",
    "takes upstream's 201 for a failure",
    stage="answer",
    default="status",
    value_help="how it says so: status (502), details (the answer in an error's details), or passed-on (201)",
)
class CreatedRefused(RelayFault):
    async def created(self, reply: UpstreamReply) -> Response | None:
        body: dict[str, object] = {"error": {"code": "openai_error", "message": "OpenAI error"}}
        if self.value != "status":
            body["details"] = reply.body.decode("utf-8", "replace")
        return JSONResponse(body, 201 if self.value == "passed-on" else 502)


@relay_fault(
    "sideband-refused",
    "sends an event of the retired beta by a sideband, which OpenAI refuses",
    stage="session",
)
class SidebandRefused(RelayFault):
    async def created(self, reply: UpstreamReply) -> Response | None:
        call_id = reply.headers.get("location", "").rpartition("/")[2]
        key = {"Authorization": f"Bearer {self.settings.api_key}"}
        event = {"type": "session.update", "session": {"voice": "alloy", "modalities": ["audio", "text"]}}
        url = f"{self.settings.socket_url}?call_id={call_id}"
        async with connect(url, additional_headers=key, proxy=None) as sideband:
            await sideband.send(json.dumps(event))
            await sideband.recv()  # the refusal, which nobody looks at
        return None


@relay_fault("answer-unread", "reads upstream's answer as JSON, and crashes", stage="answer")
class AnswerUnread(RelayFault):
    async def created(self, reply: UpstreamReply) -> Response | None:
        text = "Unexpected token 'v', \"v=0\r\no=- 38\"... is not valid JSON"
        return JSONResponse({"error": text}, 500)


@relay_fault(
    "answer-stalls",
    "sends the half of its answer",
    stage="answer",
    default=300.0,
    value_help="seconds of silence",
)
class AnswerStalls(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        body = bytes(response.body)

        async def halves() -> AsyncIterator[bytes]:
            yield body[: len(body) // 2]
            await asyncio.sleep(float(self.value))
            yield body[len(body) // 2 :]

        return StreamingResponse(halves(), response.status_code, media_type="application/sdp")


@relay_fault(
    "json-quoted", "returns the answer as a JSON string, quotes and escapes included", stage="answer"
)
class JsonQuoted(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        return Response(
            json.dumps(bytes(response.body).decode("utf-8", "replace")), media_type="application/json"
        )


@relay_fault(
    "answer-truncated",
    "returns the beginning of the answer",
    stage="answer",
    default=0.5,
    value_help="which part of it",
)
class AnswerTruncated(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        body = bytes(response.body)
        kept = body[: int(len(body) * float(self.value))]
        return Response(kept, response.status_code, media_type="application/sdp")


@relay_fault("answer-encoded", "returns the answer in Base64", stage="answer")
class AnswerEncoded(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        return Response(base64.b64encode(response.body), response.status_code, media_type="text/plain")


@relay_fault("answer-field-missing", "returns JSON in which the answer's field is undefined", stage="answer")
class AnswerFieldMissing(RelayAnswerFault):
    async def spoil(self, response: Response) -> Response:
        return JSONResponse({"type": "answer"}, response.status_code)
