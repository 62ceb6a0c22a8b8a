// openai-node in a page: an ephemeral key, `realtime.calls`, and OpenAIRealtimeWebRTC.

import OpenAI from "/node_modules/openai/index.mjs";
import { OpenAIRealtimeWebRTC } from "/node_modules/openai/realtime/webrtc.mjs";

import { listen, run, say, stream } from "./page.mjs";
import { must, Received } from "./reporting.mjs";

const TOOL = {
  type: "function",
  name: "look_up_order",
  description: "Look up where an order is",
  parameters: { type: "object", properties: { order: { type: "string" } }, required: ["order"] },
};
const SESSION = {
  type: "realtime",
  model: "gpt-realtime-2.1",
  audio: { input: { transcription: { model: "gpt-4o-mini-transcribe" } } },
  tools: [TOOL],
};

export default (setting) =>
  run("openai", async (report) => {
    const received = new Received();
    const api = (apiKey) =>
      new OpenAI({ apiKey, baseURL: setting.url, dangerouslyAllowBrowser: true, maxRetries: 0 });
    const audio = document.createElement("audio");
    audio.autoplay = true;
    listen(audio, received);
    const [track] = stream.getAudioTracks();
    let hungUp = false;
    let call = "";
    const connected = async () => {
      const client = new OpenAIRealtimeWebRTC();
      client.peerConnection.ontrack = ({ streams }) => {
        audio.srcObject ??= streams[0];
      };
      client.peerConnection.addTrack(track, stream);
      client.onEvent((event) => {
        received.push(event);
        if (event.type === "error") report.problem(event);
      });
      client.onConnectionEvent((event) => {
        // A server that ends a call aborts SCTP, which Chromium calls an error of the channel.
        if (event.type === "error" && !hungUp) report.problem(event);
        else received.push({ ...event, type: `client:${event.type}` });
      });
      const secret = await api(setting.key).realtime.clientSecrets.create({ session: SESSION });
      must(secret.value.startsWith("ek_"), "no ephemeral key");
      const exchangeSdp = async (sdp) => {
        const response = await api(secret.value).realtime.calls.create({ sdp });
        call = response.headers.get("Location").split("/").pop();
        return response.text();
      };
      await client.connect({ exchangeSdp });
      return client;
    };
    const heard = async (place) => {
      await received.after(place, "output_audio_buffer.started");
      await received.after(received.here, "client:audio");
    };
    const completed = (done) => done.response.status === "completed";
    const cancelled = (reason) => (done) => done.response.status_details?.reason === reason;
    let place = 0;
    let client;

    await report.feature("connect", async () => {
      client = await connected();
      const { session } = await received.after(0, "session.created");
      must(session.tools[0].name === TOOL.name, "the session of the ephemeral key is not in force");
    });

    await report.feature("spoken turn", async () => {
      place = received.here;
      await say("yes");
      await received.after(place, "input_audio_buffer.speech_started");
      await received.after(place, "input_audio_buffer.speech_stopped");
      await heard(place);
    });

    await report.feature("barge-in", async () => {
      place = received.here;
      await say("wait");
      await received.after(place, "output_audio_buffer.cleared");
      await received.after(place, "response.done", cancelled("turn_detected"));
      await received.after(place, "conversation.item.truncated");
      await heard(received.placeOf(await received.after(place, "response.created")));
    });

    await report.feature("interrupt()", async () => {
      place = received.here;
      client.send({ type: "response.cancel" });
      client.send({ type: "output_audio_buffer.clear" });
      await received.after(place, "response.done", cancelled("client_cancelled"));
      await received.after(place, "output_audio_buffer.cleared");
    });

    await report.feature("transcription", async () => {
      const type = "conversation.item.input_audio_transcription.completed";
      must((await received.after(0, type)).transcript, "an empty transcript");
    });

    await report.feature("text", async () => {
      place = received.here;
      const content = [{ type: "input_text", text: "Where is my order?" }];
      client.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
      client.send({ type: "response.create", response: { output_modalities: ["text"] } });
      must((await received.after(place, "response.output_text.done")).text, "an empty reply");
      await received.after(place, "response.done", completed);
    });

    await report.feature("tool call", async () => {
      place = received.here;
      client.send({ type: "response.create", response: { tool_choice: "required" } });
      const { response } = await received.after(place, "response.done", completed);
      // A message may come with it.
      const called = response.output.find((item) => item.type === "function_call");
      const { name, arguments: given, call_id } = called;
      must(name === TOOL.name && typeof JSON.parse(given).order === "string", `${name}(${given})`);
      place = received.here;
      const item = { type: "function_call_output", call_id, output: "It left the warehouse yesterday." };
      client.send({ type: "conversation.item.create", item });
      client.send({ type: "response.create" });
      await heard(place);
      await received.after(place, "response.done", completed);
    });

    await report.feature("mute", async () => {
      place = received.here;
      track.enabled = false; // the class leaves the microphone to the page
      await say("wait");
      track.enabled = true;
      await say("yes");
      await received.after(place, "input_audio_buffer.speech_stopped");
      const turns = received.since(place, "input_audio_buffer.speech_started").length;
      must(turns === 1, `${turns} turns were heard, one of them muted`);
      await heard(place);
    });

    await report.feature("close", async () => {
      client.close();
      await received.after(0, "client:closed", ({ reason }) => reason === "local");
    });

    await report.feature("hang-up by id", async () => {
      place = received.here;
      await connected();
      await received.after(place, "session.created");
      hungUp = true;
      await api(setting.key).realtime.calls.hangup(call);
      await received.after(place, "client:closed", ({ reason }) => reason !== "local");
    });
  });
