// A relay as many are written: Node's own HTTP server and fetch, a form with offer and session, the answer as it comes.
//   node relay.mjs UPSTREAM      prints its base URL, and ends when its input does
import { createServer } from "node:http";

const upstream = process.argv[2];
const session = JSON.stringify({ type: "realtime", model: "gpt-realtime", audio: { output: { voice: "marin" } } });

async function relay(request, response) {
  let body = "";
  for await (const piece of request.setEncoding("utf8")) body += piece;
  if (request.method !== "POST") return response.writeHead(204).end();
  const form = new FormData();
  form.set("sdp", JSON.parse(body).sdp);
  form.set("session", session);
  const answered = await fetch(`${upstream}/realtime/calls`, {
    method: "POST",
    headers: { Authorization: "Bearer sk-of-nobody" },
    body: form,
  });
  const answer = await answered.text();
  response.writeHead(answered.ok ? 200 : 502, { "content-type": "application/sdp" });
  response.end(answer);
}

const server = createServer((request, response) =>
  relay(request, response).catch(() => response.writeHead(502).end()),
);
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/offer`));
process.stdin.resume().on("end", () => process.exit(0));
