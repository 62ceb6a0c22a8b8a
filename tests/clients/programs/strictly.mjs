// Reads server events, one JSON object a line, and writes those that agents-realtime's schemas refuse.
// A client that is refused an event it knows treats it as one of an unknown kind, and says nothing.

import { createInterface } from "node:readline";

const { realtimeServerEventSchema } = await import(
  new URL("../node_modules/@openai/agents-realtime/dist/openaiRealtimeEvents.mjs", import.meta.url)
);

const known = new Set(realtimeServerEventSchema.options.map((option) => option.shape.type.value));
const parsed = new Set();
for await (const line of createInterface({ input: process.stdin })) {
  const event = JSON.parse(line);
  if (!known.has(event.type)) continue;
  const { success, error } = realtimeServerEventSchema.safeParse(event);
  parsed.add(event.type);
  if (!success) process.stdout.write(`${JSON.stringify({ type: event.type, issues: error.issues })}\n`);
}
process.stdout.write(`${JSON.stringify({ parsed: [...parsed].sort(), known: known.size })}\n`);
