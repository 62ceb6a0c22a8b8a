"""livekit-plugins-openai over WebSocket: the RealtimeModel that voice agents of LiveKit speak through."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from livekit import rtc
from livekit.agents import llm
from livekit.plugins.openai.realtime import RealtimeModel

from tests.clients.programs.reporting import Received, Report, Setting, cancelled, completed, run

RATE = 24_000


async def look_up_order(order: str) -> str:
    """Look up where an order is."""
    return f"{order} left the warehouse yesterday."


async def converse(report: Report, setting: Setting) -> None:
    model = RealtimeModel(base_url=setting.url, api_key=setting.key, model="gpt-realtime-2.1")
    session = model.session()
    received = Received()
    generations: asyncio.Queue[Any] = asyncio.Queue()
    session.on("error", lambda error: report.problem(error.error))
    session.on("openai_server_event_received", received.push)
    session.on("generation_created", generations.put_nowait)
    for name in ("input_speech_started", "input_speech_stopped", "input_audio_transcription_completed"):
        session.on(name, lambda event, name=name: received.push({"type": f"client:{name}", "event": event}))
    with report.feature("connect"):
        await session.update_instructions("Be brief.")
        await session.update_tools([llm.function_tool(look_up_order)])
        await received.after(0, "session.created")
        await received.after(0, "session.updated")
    await talk(report, setting, session, received, generations)
    with report.feature("close"):
        await session.aclose()
        await model.aclose()
    with report.feature("text"):
        await write(report, setting)


async def write(report: Report, setting: Setting) -> None:
    """A session of its own, whose modality is text."""
    model = RealtimeModel(
        base_url=setting.url, api_key=setting.key, model="gpt-realtime-2.1", modalities=["text"]
    )
    session = model.session()
    session.on("error", lambda error: report.problem(error.error))
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="Where is my order?")
    async with asyncio.timeout(15):
        await session.update_chat_ctx(context)
        generation = await session.generate_reply()
        replies = [
            "".join([str(piece) async for piece in message.text_stream])
            async for message in generation.message_stream
        ]
    assert all(replies)
    assert replies
    await session.aclose()
    await model.aclose()


async def audio_of(generations: asyncio.Queue[Any]) -> Any:
    """The next reply, once a frame of its audio has come."""
    async with asyncio.timeout(15):
        generation = await generations.get()
        async for message in generation.message_stream:
            async for frame in message.audio_stream:
                assert frame.sample_rate == RATE
                return message
    raise AssertionError("the reply had no audio")


async def talk(
    report: Report, setting: Setting, session: Any, received: Received, generations: asyncio.Queue[Any]
) -> None:
    def say(name: str) -> None:
        for part in (name, "silence"):
            data = setting.speech(part)
            session.push_audio(rtc.AudioFrame(data, RATE, 1, len(data) // 2))

    with report.feature("spoken turn"):
        say("yes")
        await received.after(0, "client:input_speech_started")
        await received.after(0, "client:input_speech_stopped")
        await audio_of(generations)

    with report.feature("barge-in"):
        place = received.here
        say("wait")
        await received.after(place, "client:input_speech_started")
        await received.after(place, "response.done", cancelled("turn_detected"))
        message = await audio_of(generations)

    with report.feature("interrupt()"):
        place = received.here
        session.interrupt()
        await received.after(place, "response.done", cancelled("client_cancelled"))
        session.truncate(message_id=message.message_id, modalities=["audio"], audio_end_ms=10)
        await received.after(place, "conversation.item.truncated")

    with report.feature("transcription"):
        heard = await received.after(0, "client:input_audio_transcription_completed")
        assert heard["event"].transcript

    with report.feature("tool call"):
        async with asyncio.timeout(15):
            generation = await session.generate_reply(tool_choice="required")
            assert generation is await generations.get()
            [called] = [call async for call in generation.function_stream]
        assert called.name == "look_up_order"
        output = await look_up_order(**json.loads(called.arguments))
        context = session.chat_ctx.copy()
        context.items.append(
            llm.FunctionCallOutput(name=called.name, call_id=called.call_id, output=output, is_error=False)
        )
        await session.update_chat_ctx(context)
        place = received.here
        await session.generate_reply()
        await audio_of(generations)
        await received.after(place, "response.done", completed)


if __name__ == "__main__":
    run("livekit-plugins-openai", converse)
