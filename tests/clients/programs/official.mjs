// A page as the package's own guide has it: a key from our server, then everything by its session.

import {
  OpenAIRealtimeWebRTC,
  RealtimeAgent,
  RealtimeSession,
} from "/node_modules/@openai/agents-realtime/dist/bundle/openai-realtime-agents.mjs";

const start = document.getElementById("start");
const stop = document.getElementById("stop");
const said = document.getElementById("said");
let session = null;

start.addEventListener("click", async () => {
  start.disabled = true;
  said.textContent = "Connecting…";
  try {
    const { value, baseUrl } = await (await fetch("/token", { method: "POST" })).json();
    const transport = new OpenAIRealtimeWebRTC({ baseUrl });
    session = new RealtimeSession(new RealtimeAgent({ name: "Cleo", instructions: "Answer briefly." }), { transport });
    session.on("error", ({ error }) => console.warn(error));
    await session.connect({ apiKey: value });
    said.textContent = "Listening";
    stop.hidden = false;
  } catch (error) {
    said.textContent = `The call failed: ${error.message}`;
    start.disabled = false;
  }
});

function end() {
  session?.close();
  session = null;
  stop.hidden = true;
  start.disabled = false;
  said.textContent = "The call is over";
}

stop.addEventListener("click", end);
addEventListener("pagehide", end);
