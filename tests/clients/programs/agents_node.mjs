// @openai/agents-realtime over WebSocket in Node.

import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { z } from "zod";

import { converse } from "./agents.mjs";
import { run, setting, speech } from "./node.mjs";
import { Received } from "./reporting.mjs";

await run("@openai/agents-realtime", async (report) => {
  const transport = new OpenAIRealtimeWebSocket();
  const received = new Received();
  transport.on("audio", () => received.push({ type: "client:audio" }));
  const say = async (name) => {
    for (const part of [name, "silence"]) transport.sendAudio(new Uint8Array(speech(part)).buffer);
  };
  const socket = `${setting.url.replace("http", "ws")}/realtime`;
  const sideband = {
    transport: new OpenAIRealtimeWebSocket(),
    connect: { apiKey: setting.key, callId: setting.call, url: `${socket}?call_id=${setting.call}` },
  };
  const url = `${socket}?model=gpt-realtime-2.1`;
  const made = { RealtimeAgent, RealtimeSession, tool, z };
  await converse(report, made, { received, transport, connect: { apiKey: setting.key, url }, say, sideband });
});
