// Serves a Next.js route handler as Next.js calls it: a web Request in, a web Response out.
import { createServer } from "node:http";
import { POST } from "./route.mjs";

createServer(async (incoming, outgoing) => {
  const gone = new AbortController();
  outgoing.on("close", () => outgoing.writableFinished || gone.abort());
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const request = new Request(`http://localhost${incoming.url}`, {
    method: incoming.method,
    headers: Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
    body: incoming.method === "POST" ? Buffer.concat(chunks) : undefined,
    signal: gone.signal,
  });
  const response = incoming.method === "POST" ? await POST(request) : new Response(null, { status: 405 });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}).listen(0, "127.0.0.1", function () {
  console.log(this.address().port);
});
