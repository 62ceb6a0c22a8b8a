"""openai-python over WebSocket: `realtime.connect`."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from tests.clients.programs.reporting import Received, Report, Setting, cancelled, completed, run

TOOL: Any = {
    "type": "function",
    "name": "look_up_order",
    "description": "Look up where an order is",
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
}


async def converse(report: Report, setting: Setting) -> None:
    async with AsyncOpenAI(api_key=setting.key, base_url=setting.url, max_retries=0) as client:
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            received = Received()
            listening = asyncio.create_task(listen(connection, received, report))
            await talk(report, setting, connection, received)
        with report.feature("sideband"):
            async with client.realtime.connect(call_id=setting.call) as side, asyncio.timeout(15):
                steering = "Steered by openai-python."
                await side.session.update(session={"type": "realtime", "instructions": steering})
                async for event in side:
                    assert event.type != "error", event
                    if event.type == "session.updated" and f'"{steering}"' in event.to_json():
                        break
        with report.feature("close"):
            async with asyncio.timeout(5):
                await listening


async def listen(connection: AsyncRealtimeConnection, received: Received, report: Report) -> None:
    async for event in connection:
        if event.type == "error":
            report.problem(event.to_json())
        received.push(json.loads(event.to_json(exclude_unset=True)))


async def talk(
    report: Report, setting: Setting, connection: AsyncRealtimeConnection, received: Received
) -> None:
    async def say(name: str) -> None:
        for part in (name, "silence"):
            audio = base64.b64encode(setting.speech(part)).decode()
            await connection.input_audio_buffer.append(audio=audio)

    with report.feature("connect"):
        await received.after(0, "session.created")
        transcription: Any = {"model": "gpt-4o-mini-transcribe"}
        audio: Any = {"input": {"transcription": transcription}}
        await connection.session.update(session={"type": "realtime", "audio": audio, "tools": [TOOL]})
        updated = await received.after(0, "session.updated")
        assert updated["session"]["tools"][0]["name"] == TOOL["name"]

    with report.feature("spoken turn"):
        await say("yes")
        await received.after(0, "input_audio_buffer.speech_started")
        await received.after(0, "input_audio_buffer.speech_stopped")
        heard = await received.after(0, "response.output_audio.delta")
        assert base64.b64decode(heard["delta"])

    with report.feature("barge-in"):
        place = received.here
        await say("wait")
        await received.after(place, "response.done", cancelled("turn_detected"))
        answer = await received.after(place, "response.created")
        await received.after(received.events.index(answer), "response.output_audio.delta")

    with report.feature("interrupt()"):
        place = received.here
        await connection.response.cancel()
        done = await received.after(place, "response.done", cancelled("client_cancelled"))
        item = done["response"]["output"][0]["id"]
        await connection.conversation.item.truncate(item_id=item, content_index=0, audio_end_ms=10)
        await received.after(place, "conversation.item.truncated")

    with report.feature("transcription"):
        kind = "conversation.item.input_audio_transcription.completed"
        assert (await received.after(0, kind))["transcript"]

    with report.feature("text"):
        place = received.here
        content: Any = [{"type": "input_text", "text": "Where is my order?"}]
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": content}
        )
        await connection.response.create(response={"output_modalities": ["text"]})
        assert (await received.after(place, "response.output_text.done"))["text"]
        await received.after(place, "response.done", completed)

    with report.feature("tool call"):
        place = received.here
        await connection.response.create(response={"tool_choice": "required"})
        output = (await received.after(place, "response.done", completed))["response"]["output"]
        [called] = [item for item in output if item["type"] == "function_call"]  # a message may come with it
        assert called["name"] == TOOL["name"]
        assert isinstance(json.loads(called["arguments"])["order"], str)
        place = received.here
        await connection.conversation.item.create(
            item={
                "type": "function_call_output",
                "call_id": called["call_id"],
                "output": "It left the warehouse yesterday.",
            }
        )
        await connection.response.create()
        await received.after(place, "response.output_audio.delta")
        await received.after(place, "response.done", completed)


if __name__ == "__main__":
    run("openai", converse)
