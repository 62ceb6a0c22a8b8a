"""What a response is to be: its form, its reply, its cost, and how much of it there is room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.fakes.openai.conversation.behaviour import Ending
from harness.fakes.openai.conversation.items import Item, Items, context_tokens
from harness.fakes.openai.conversation.line import Line
from harness.fakes.openai.conversation.models import Model, model_named
from harness.fakes.openai.conversation.output_items import Form, OutputItem
from harness.fakes.openai.conversation.response import Response
from harness.fakes.openai.conversation.session import Session
from harness.fakes.openai.conversation.tools import function_call
from harness.fakes.openai.conversation.usage import Tokens, assistant_audio_tokens, text_tokens
from harness.fakes.openai.speaking.replies import SpokenReply
from harness.fakes.openai.speaking.voices import Prompt


class Maker:
    """Prepares responses from the session, the conversation so far and the parameters of response.create."""

    def __init__(
        self,
        line: Line,
        session: Session,
        items: Items,
        say: Callable[[Prompt], SpokenReply],
        conversation_id: str,
    ) -> None:
        self._line, self._session, self._items, self._say = line, session, items, say
        self._conversation_id = conversation_id
        self._seen = Tokens()

    def make(
        self, parameters: Mapping[str, Any], prompt: Prompt, given: Sequence[Item] | None = None
    ) -> Response:
        """A response that has not begun. `given` are the items of `response.input`, in place of all."""
        asked = {**self._session.effective, **{k: v for k, v in parameters.items() if v is not None}}
        planned = self._planned(asked, prompt)
        form, reply = planned[0]
        items = list(self._items) if given is None else given
        context = context_tokens(items, asked["instructions"], asked["tools"])
        cached = Tokens(min(context.text, self._seen.text), min(context.audio, self._seen.audio)).cached()
        ending = self._line.behaviour.ending() or _token_limit(form, reply, asked["max_output_tokens"])
        if ending is not None:
            planned = [(form, first_part(reply, ending.part))]
        in_conversation = parameters.get("conversation") != "none"
        response_id = self._line.ids.new("resp")
        model = model_named(asked["model"])
        return Response(
            line=self._line,
            id=response_id,
            outputs=[OutputItem(self._line, response_id, index, *plan) for index, plan in enumerate(planned)],
            reasoning=self._reasoning(model, ending),
            parameters=self._shown(asked, parameters),
            conversation_id=self._conversation_id if in_conversation else None,
            context=context,
            cached=cached if given is None else Tokens(),
            ending=ending,
        )

    def _reasoning(self, model: Model, ending: Ending | None) -> int | None:
        """None where the model tells no such tokens; a response that is broken off has no room for them."""
        if not model.reasons:
            return None
        return self._line.variation.reasoning_tokens() if ending is None else 0

    def remember(self, response: Response) -> None:
        """What the model has seen and said, it need not read in full again."""
        if response.in_conversation:
            self._seen = response.context + response.spent()

    def new_item(self, response: Response, output: OutputItem) -> Item:
        """An output item of a response, in progress."""
        shared = {"id": self._line.ids.new("item"), "status": "in_progress"}
        call = output.reply.call
        if call is None:
            message = {**shared, "type": "message", "role": "assistant", "content": []}
            if response.reasoning is not None and self._line.variation.tells_phase:
                message["phase"] = "final_answer" if response.outputs[-1] is output else "commentary"
            return Item(message)
        made = {"name": call.name, "call_id": self._line.ids.new("call"), "arguments": ""}
        return Item({**shared, "type": "function_call", **made})

    def _planned(self, asked: Mapping[str, Any], prompt: Prompt) -> list[tuple[Form, SpokenReply]]:
        """The items that the response will put out: one, or a call that a model which reasons comments on."""
        last = self._items.last
        answering = last is not None and last.resource["type"] == "function_call_output"
        settings = self._line.settings
        call = function_call(asked["tools"], asked["tool_choice"], settings, answering_call=answering)
        calls: list[tuple[Form, SpokenReply]] = []
        if call is not None:
            calls = [("function_call", SpokenReply(call.name, call.arguments, call=call))]
            if not (model_named(asked["model"]).reasons and self._line.variation.either()):
                return calls
        if asked["output_modalities"] == ["text"]:
            return [("text", SpokenReply("text", settings.text_reply)), *calls]
        return [("audio", self._say(prompt)), *calls]

    def _shown(self, asked: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        """What the response says that it was made with."""
        output = self._session.effective["audio"]["output"]
        own = (parameters.get("audio") or {}).get("output") or {}
        voice = own.get("voice") or output["voice"]
        name = voice["id"] if isinstance(voice, Mapping) else voice
        return {
            "output_modalities": asked["output_modalities"],
            "max_output_tokens": asked["max_output_tokens"],
            "audio": {"output": {"format": own.get("format") or output["format"], "voice": name}},
            "metadata": asked.get("metadata") or None,
        }


def first_part(reply: SpokenReply, part: float) -> SpokenReply:
    """Both its audio and its text, up to `part` of 1."""
    cut = reply.cut(int(reply.duration_ms * part))
    letters = int(len(reply.transcript) * part)
    return SpokenReply(
        reply.name,
        reply.transcript[:letters],
        cut.duration_ms,
        cut.make_samples,
        cut.make_packets,
        reply.call,
    )


def _token_limit(form: Form, reply: SpokenReply, limit: object) -> Ending | None:
    """A response that would cost more than `max_output_tokens` is broken off there."""
    audio = assistant_audio_tokens(reply.duration_ms) if form == "audio" else 0
    cost = text_tokens(reply.transcript) + audio
    if not isinstance(limit, int) or cost <= limit:
        return None
    # Text and audio are each rounded up when they are counted: leave a token for each.
    return Ending("incomplete", max(limit - 2, 0) / cost, "max_output_tokens")
