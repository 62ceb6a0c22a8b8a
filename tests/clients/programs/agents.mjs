// The conversation of @openai/agents-realtime, alike over WebSocket in Node and over WebRTC in a page.

import { must, Received } from "./reporting.mjs";

/**
 * `made`: `{RealtimeAgent, RealtimeSession, tool, z}` of the package and zod; `transport` and `connect` as
 * RealtimeSession takes them. `say(name)` speaks. `received` gets a `client:audio` whenever the assistant is heard.
 * `sideband`: the same of a transport that joins a call. `webrtc`: the transport plays the audio itself, knows when it does, and can be muted.
 */
export async function converse(report, made, { received, transport, connect, say, sideband, webrtc }) {
  const asked = [];
  const lookUp = made.tool({
    name: "look_up_order",
    description: "Look up where an order is",
    parameters: made.z.object({ order: made.z.string() }),
    execute: async (given) => {
      asked.push(given);
      return "It left the warehouse yesterday.";
    },
  });
  const agent = new made.RealtimeAgent({ name: "Clerk", instructions: "Be brief.", tools: [lookUp] });
  const session = new made.RealtimeSession(agent, { transport, tracingDisabled: true });
  session.on("error", (error) => report.problem(error));
  session.on("transport_event", (event) => received.push(event));
  session.on("agent_tool_end", (_context, _agent, called, result) =>
    received.push({ type: "client:tool", name: called.name, result }),
  );
  session.on("audio_interrupted", () => received.push({ type: "client:interrupted" }));
  session.transport.on("connection_change", (status) => received.push({ type: `client:${status}` }));
  const cancelled = (reason) => (done) =>
    done.response.status === "cancelled" && done.response.status_details.reason === reason;
  const completed = (done) => done.response.status === "completed";
  const entry = (role, part) => (item) =>
    item.role === role && item.content?.some((each) => each.type === part && (each.text || each.transcript));
  const heard = async (place) => {
    if (webrtc) await received.after(place, "output_audio_buffer.started");
    await received.after(webrtc ? received.here : place, "client:audio");
  };
  let place = received.here;

  await report.feature("connect", async () => {
    await session.connect(connect);
    await received.after(0, "session.created");
    await received.after(0, "session.updated");
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
    await received.after(place, "input_audio_buffer.speech_started");
    await received.after(place, webrtc ? "output_audio_buffer.cleared" : "client:interrupted");
    await received.after(place, "response.done", cancelled("turn_detected"));
    await received.after(place, "conversation.item.truncated");
    const answer = await received.after(place, "response.created"); // what the caller said is answered
    await heard(received.placeOf(answer));
  });

  await report.feature("interrupt()", async () => {
    place = received.here;
    session.interrupt();
    await received.after(place, "response.done", cancelled("client_cancelled"));
    await received.after(place, webrtc ? "output_audio_buffer.cleared" : "client:interrupted");
  });

  await report.feature("transcription", async () => {
    await received.after(0, "conversation.item.input_audio_transcription.completed");
    await received.after(0, "conversation.item.retrieved"); // the client asks for the item once it is heard
    must(session.history.some(entry("user", "input_audio")), "no transcript of the caller in the history");
  });

  await report.feature("text", async () => {
    place = received.here;
    session.transport.sendMessage("Where is my order?", {}, { triggerResponse: false });
    session.transport.requestResponse({ output_modalities: ["text"] });
    await received.after(place, "response.output_text.delta");
    await received.after(place, "response.done", completed);
    must(session.history.some(entry("user", "input_text")), "the message is not in the history");
    must(session.history.some(entry("assistant", "output_text")), "no text of the reply in the history");
  });

  await report.feature("tool call", async () => {
    place = received.here;
    session.transport.requestResponse({ tool_choice: "required" });
    const { name, result } = await received.after(place, "client:tool");
    must(name === "look_up_order" && result.startsWith("It left"), `another tool: ${name} ${result}`);
    must(typeof asked[0]?.order === "string", `other arguments: ${JSON.stringify(asked)}`);
    await received.after(place, "response.done", completed);
    place = received.here;
    await heard(place);
    await received.after(place, "response.done", completed);
    must(session.history.some(entry("assistant", "output_audio")), "no transcript of the reply in the history");
  });

  if (webrtc) {
    await report.feature("mute", async () => {
      place = received.here;
      session.mute(true);
      must(session.muted === true, "it does not say that it is muted");
      await say("wait");
      session.mute(false);
      await say("yes");
      await received.after(place, "input_audio_buffer.speech_stopped");
      const turns = received.since(place, "input_audio_buffer.speech_started").length;
      must(turns === 1, `${turns} turns were heard, one of them muted`);
      await heard(place);
    });
  }

  if (sideband) {
    await report.feature("sideband", async () => {
      const steered = new Received();
      const instructions = "Steered by agents-realtime.";
      const joining = new made.RealtimeAgent({ name: "Supervisor", instructions });
      const side = new made.RealtimeSession(joining, { transport: sideband.transport, tracingDisabled: true });
      side.on("error", (error) => report.problem(error));
      side.on("transport_event", (event) => steered.push(event));
      side.transport.on("connection_change", (status) => steered.push({ type: `client:${status}` }));
      await side.connect(sideband.connect);
      await steered.after(0, "session.updated", (event) => event.session.instructions === instructions);
      side.close();
      await steered.after(0, "client:disconnected");
    });
  }

  await report.feature("close", async () => {
    place = received.here;
    session.close();
    await received.after(place, "client:disconnected");
  });
}
