// A relay over HTTP/2 for tests, by Node alone: it answers every offer, and says on how many connections.
//   node http2_server.mjs [KEY CERTIFICATE]      with both, over TLS, where HTTP/1.1 is refused
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureServer, createServer } from "node:http2";

const [key, certificate] = process.argv.slice(2);
const server = key
  ? createSecureServer({ key: readFileSync(key), cert: readFileSync(certificate) })
  : createServer();
const seen = { offers: 0, connections: 0 };

const answer = () => {
  const name = randomBytes(6).toString("hex");
  return [
    "v=0",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    `a=ice-ufrag:${name}`,
    `a=ice-pwd:${name}${name}`,
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "",
  ].join("\r\n");
};

server.on("session", () => (seen.connections += 1));
server.on("stream", async (stream, headers) => {
  if (headers[":method"] === "GET") {
    stream.respond({ ":status": 200, "content-type": "application/json" });
    return stream.end(JSON.stringify(seen));
  }
  let offer = "";
  for await (const piece of stream.setEncoding("utf8")) offer += piece;
  if (!offer.startsWith("v=0")) {
    stream.respond({ ":status": 400 });
    return stream.end();
  }
  seen.offers += 1;
  stream.respond({ ":status": 201, "content-type": "application/sdp" });
  stream.end(answer());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));
