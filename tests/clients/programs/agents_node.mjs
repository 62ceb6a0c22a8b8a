// @openai/agents-realtime over WebSocket in Node.

import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { z } from "zod";

import { converse } from "./agents.mjs";
import { run, setting, speech } from "./node.mjs";

await run("@openai/agents-realtime", async (report) => {
  const transport = new OpenAIRealtimeWebSocket();
  let audio = 0;
  let wake = () => {};
  transport.on("audio", () => {
    audio += 1;
    wake();
  });
  const say = async (name) => {
    for (const part of [name, "silence"]) transport.sendAudio(new Uint8Array(speech(part)).buffer);
  };
  const heard = () => {
    const before = audio;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no audio came")), 15000);
      wake = () => {
        if (audio > before) {
          clearTimeout(timer);
          resolve();
        }
      };
    });
  };
  const url = `${setting.url.replace("http", "ws")}/realtime?model=gpt-realtime-2.1`;
  const made = { RealtimeAgent, RealtimeSession, tool, z };
  await converse(report, made, { transport, connect: { apiKey: setting.key, url }, say, heard });
});
