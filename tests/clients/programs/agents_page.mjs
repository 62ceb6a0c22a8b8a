// @openai/agents-realtime over WebRTC in a page, from the bundle that the package brings.

import {
  OpenAIRealtimeWebRTC,
  RealtimeAgent,
  RealtimeSession,
  tool,
} from "/node_modules/@openai/agents-realtime/dist/bundle/openai-realtime-agents.mjs";
import { z } from "/node_modules/zod/index.js";

import { converse } from "./agents.mjs";
import { listen, run, say, stream } from "./page.mjs";
import { Received } from "./reporting.mjs";

export default (setting) =>
  run("@openai/agents-realtime", async (report) => {
    const received = new Received();
    const audioElement = document.createElement("audio");
    listen(audioElement, received);
    const transport = new OpenAIRealtimeWebRTC({
      baseUrl: `${setting.url}/realtime/calls`,
      useInsecureApiKey: true,
      mediaStream: stream,
      audioElement,
    });
    const made = { RealtimeAgent, RealtimeSession, tool, z };
    const connect = { apiKey: setting.key };
    await converse(report, made, { received, transport, connect, say, webrtc: true });
  });
