"""openai-agents over WebSocket: RealtimeRunner and RealtimeSession."""

from __future__ import annotations

import asyncio
from typing import Any

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner
from agents.realtime.model_inputs import RealtimeModelSendRawMessage

from tests.clients.programs.reporting import Received, Report, Setting, cancelled, completed, run

asked: list[str] = []


def look_up_order(order: str) -> str:
    """Look up where an order is."""
    asked.append(order)
    return "It left the warehouse yesterday."


async def converse(report: Report, setting: Setting) -> None:
    agent = RealtimeAgent(name="Clerk", instructions="Be brief.", tools=[function_tool(look_up_order)])
    runner = RealtimeRunner(agent, config={"tracing_disabled": True})
    url = f"{setting.url.replace('http', 'ws')}/realtime?model=gpt-realtime-2.1"
    session = await runner.run(model_config={"api_key": setting.key, "url": url})
    received = Received()
    with report.feature("connect"):
        await session.enter()
        listening = asyncio.create_task(listen(session, received, report))
        await received.after(0, "session.created")
        await received.after(0, "session.updated")
    await talk(report, setting, session, received)
    with report.feature("sideband"):
        await steer(report, setting)
    with report.feature("close"):
        await session.close()
        async with asyncio.timeout(5):
            await listening


async def steer(report: Report, setting: Setting) -> None:
    """Join a call that somebody else made."""
    agent = RealtimeAgent(name="Supervisor", instructions="Steered by openai-agents.")
    url = f"{setting.url.replace('http', 'ws')}/realtime?call_id={setting.call}"
    side = await RealtimeRunner(agent, config={"tracing_disabled": True}).run(
        model_config={"api_key": setting.key, "call_id": setting.call, "url": url}
    )
    steered = Received()
    await side.enter()
    listening = asyncio.create_task(listen(side, steered, report))
    await steered.after(
        0, "session.updated", lambda event: event["session"]["instructions"] == agent.instructions
    )
    await side.close()
    await listening


async def listen(session: Any, received: Received, report: Report) -> None:
    """The session's own events by `client:` and their type, and the server's as they came."""
    async for event in session:
        if event.type == "error":
            report.problem(event.error)
        elif event.type != "raw_model_event":
            received.push({"type": f"client:{event.type}", "event": event})
        elif event.data.type == "raw_server_event":
            received.push(event.data.data)


async def talk(report: Report, setting: Setting, session: Any, received: Received) -> None:
    async def say(name: str) -> None:
        for part in (name, "silence"):
            await session.send_audio(setting.speech(part))

    async def ask(**response: Any) -> None:
        message: Any = {"type": "response.create", "other_data": {"response": response}}
        await session.model.send_event(RealtimeModelSendRawMessage(message=message))

    with report.feature("spoken turn"):
        await say("yes")
        await received.after(0, "input_audio_buffer.speech_started")
        await received.after(0, "input_audio_buffer.speech_stopped")
        heard = await received.after(0, "client:audio")
        assert heard["event"].audio.data

    with report.feature("barge-in"):
        place = received.here
        await say("wait")
        await received.after(place, "client:audio_interrupted")
        await received.after(place, "response.done", cancelled("turn_detected"))
        await received.after(place, "conversation.item.truncated")
        answer = await received.after(place, "response.created")
        await received.after(received.events.index(answer), "client:audio")

    with report.feature("interrupt()"):
        place = received.here
        await session.interrupt()
        await received.after(place, "client:audio_interrupted")
        await received.after(place, "conversation.item.truncated")
        # Where the server interrupts by itself, the package leaves the cancelling to it.
        await session.model.send_event(RealtimeModelSendRawMessage(message={"type": "response.cancel"}))
        await received.after(place, "response.done", cancelled("client_cancelled"))

    with report.feature("transcription"):
        kind = "conversation.item.input_audio_transcription.completed"
        assert (await received.after(0, kind))["transcript"]

    with report.feature("text"):
        place = received.here
        item = {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Where is my order?"}],
        }
        message: Any = {"type": "conversation.item.create", "other_data": {"item": item}}
        await session.model.send_event(RealtimeModelSendRawMessage(message=message))
        await ask(output_modalities=["text"])
        assert (await received.after(place, "response.output_text.done"))["text"]
        await received.after(place, "response.done", completed)

    with report.feature("tool call"):
        place = received.here
        await ask(tool_choice="required")
        ended = (await received.after(place, "client:tool_end"))["event"]
        assert (ended.tool.name, ended.output) == ("look_up_order", "It left the warehouse yesterday.")
        assert asked
        await received.after(place, "client:audio")
        await received.after(place, "response.output_audio.done")


if __name__ == "__main__":
    run("openai-agents", converse)
