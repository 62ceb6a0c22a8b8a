// The relay: the page's offer goes to OpenAI with a session and the key, and the answer comes back as it is.

const UPSTREAM = process.env.OPENAI_BASE_URL ?? "https://api.openai.com/v1";
const KEY = { Authorization: `Bearer ${process.env.OPENAI_API_KEY}` };
const LONGEST_OFFER = 64 * 1024;
const PATIENCE_MS = 8000;
const SESSION = {
  type: "realtime",
  model: "gpt-realtime-2.1",
  instructions: "Eres Cleo, una asistente amable. Contesta brevemente, en el idioma de quien llama.",
  audio: {
    input: { turn_detection: { type: "server_vad", silence_duration_ms: 500 } },
    output: { voice: "marin" },
  },
};

const refuse = (status, error) => Response.json({ error }, { status });

export async function POST(request) {
  const body = await request.json().catch(() => null);
  const sdp = body?.sdp;
  if (typeof sdp !== "string" || !sdp.startsWith("v=0") || sdp.length > LONGEST_OFFER) return refuse(400, "no_offer");
  const form = new FormData();
  form.set("sdp", sdp); // byte for byte
  form.set("session", JSON.stringify(SESSION));
  let answer;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    answer = await fetch(`${UPSTREAM}/realtime/calls`, { method: "POST", headers: KEY, body: form, signal });
  } catch (error) {
    return error.name === "TimeoutError" ? refuse(504, "upstream_timeout") : refuse(502, "upstream_unreachable");
  }
  const text = await answer.text().catch(() => "");
  if (!answer.ok || !text.startsWith("v=0")) return refuse(502, "upstream_failed");
  if (request.signal.aborted) {
    // Nobody waits any more: let go of the call.
    const call = answer.headers.get("location");
    if (call) await fetch(new URL(`${call}/hangup`, UPSTREAM), { method: "POST", headers: KEY });
  }
  return new Response(text, { status: 201, headers: { "Content-Type": "application/sdp" } });
}
