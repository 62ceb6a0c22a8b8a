// openai-node over WebSocket: with the package ws, or (`native`) with the runtime's own.

import { strict as assert } from "node:assert";

import OpenAI from "openai";
import { OpenAIRealtimeWebSocket } from "openai/realtime/websocket";
import { OpenAIRealtimeWS } from "openai/realtime/ws";

import { run, setting, speech } from "./node.mjs";
import { Received } from "./reporting.mjs";

const TOOL = {
  type: "function",
  name: "look_up_order",
  description: "Look up where an order is",
  parameters: { type: "object", properties: { order: { type: "string" } }, required: ["order"] },
};

await run("openai", async (report) => {
  const received = new Received();
  const Client = setting.native ? OpenAIRealtimeWebSocket : OpenAIRealtimeWS;
  const openai = new OpenAI({ apiKey: setting.key, baseURL: setting.tls, maxRetries: 0 });
  const client = await Client.create(openai, { model: "gpt-realtime-2.1" });
  client.on("error", (error) => report.problem(error));
  client.on("event", (event) => received.push(event));
  client.socket.addEventListener("close", ({ code }) => received.push({ type: "client:closed", code }));
  const say = (name) => {
    for (const part of [name, "silence"]) {
      client.send({ type: "input_audio_buffer.append", audio: speech(part).toString("base64") });
    }
  };
  const completed = (done) => done.response.status === "completed";
  const cancelled = (reason) => (done) => done.response.status_details?.reason === reason;
  let place = 0;

  await report.feature("connect", async () => {
    await received.after(0, "session.created");
    const audio = { input: { transcription: { model: "gpt-4o-mini-transcribe" } } };
    client.send({ type: "session.update", session: { type: "realtime", audio, tools: [TOOL] } });
    const { session } = await received.after(0, "session.updated");
    assert.equal(session.tools[0].name, TOOL.name);
  });

  await report.feature("spoken turn", async () => {
    place = received.here;
    say("yes");
    await received.after(place, "input_audio_buffer.speech_started");
    await received.after(place, "input_audio_buffer.speech_stopped");
    await received.after(place, "response.output_audio.delta", ({ delta }) => delta.length > 0);
  });

  await report.feature("barge-in", async () => {
    place = received.here;
    say("wait");
    await received.after(place, "response.done", cancelled("turn_detected"));
    const answer = await received.after(place, "response.created");
    await received.after(received.placeOf(answer), "response.output_audio.delta");
  });

  await report.feature("interrupt()", async () => {
    place = received.here;
    client.send({ type: "response.cancel" });
    const { response } = await received.after(place, "response.done", cancelled("client_cancelled"));
    const item_id = response.output[0].id;
    client.send({ type: "conversation.item.truncate", item_id, content_index: 0, audio_end_ms: 10 });
    await received.after(place, "conversation.item.truncated");
  });

  await report.feature("transcription", async () => {
    const type = "conversation.item.input_audio_transcription.completed";
    const { transcript } = await received.after(0, type);
    assert.ok(transcript);
  });

  await report.feature("text", async () => {
    place = received.here;
    const content = [{ type: "input_text", text: "Where is my order?" }];
    client.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
    client.send({ type: "response.create", response: { output_modalities: ["text"] } });
    const { text } = await received.after(place, "response.output_text.done");
    assert.ok(text);
    await received.after(place, "response.done", completed);
  });

  await report.feature("tool call", async () => {
    place = received.here;
    client.send({ type: "response.create", response: { tool_choice: "required" } });
    const { response } = await received.after(place, "response.done", completed);
    // A message may come with it.
    const called = response.output.find((item) => item.type === "function_call");
    const { name, arguments: given, call_id } = called;
    assert.equal(name, TOOL.name);
    assert.equal(typeof JSON.parse(given).order, "string");
    place = received.here;
    const item = { type: "function_call_output", call_id, output: "It left the warehouse yesterday." };
    client.send({ type: "conversation.item.create", item });
    client.send({ type: "response.create" });
    await received.after(place, "response.output_audio.delta");
    await received.after(place, "response.done", completed);
  });

  await report.feature("sideband", async () => {
    const side = await Client.create(openai, { callID: setting.call });
    const steered = new Received();
    side.on("error", (error) => report.problem(error));
    side.on("event", (event) => steered.push(event));
    side.socket.addEventListener("open", () => steered.push({ type: "client:open" }));
    side.socket.addEventListener("close", () => steered.push({ type: "client:closed" }));
    await steered.after(0, "client:open");
    const instructions = `Steered by openai-node${setting.native ? ", native" : ""}.`;
    side.send({ type: "session.update", session: { type: "realtime", instructions } });
    await steered.after(0, "session.updated", ({ session }) => session.instructions === instructions);
    side.close();
    await steered.after(0, "client:closed");
  });

  await report.feature("close", async () => {
    client.close();
    const { code } = await received.after(0, "client:closed");
    // Node 20's own tells 1006 at times, where the connection's end comes right behind the close frame.
    assert.ok(code === 1000 || (setting.native && code === 1006), `closed with ${code}`);
  });
});
