// Serves the Next.js example without Next: its page bundled by esbuild, its route handlers as Next calls them.
// Usage: node next.mjs APP PACKAGES   (prints its port; APP is the example's folder, PACKAGES has node_modules)
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const [app, packages] = process.argv.slice(2);
const { build } = createRequire(`${packages}/package.json`)("esbuild");
const bundle = async (options) =>
  (await build({ bundle: true, write: false, jsx: "automatic", nodePaths: [`${packages}/node_modules`], ...options })).outputFiles[0].text;

const entry = `import { createRoot } from "react-dom/client"; import { createElement } from "react";
import Page from ${JSON.stringify(path.join(app, "app/page.jsx"))};
createRoot(document.getElementById("root")).render(createElement(Page));`;
const script = await bundle({
  stdin: { contents: entry, resolveDir: app },
  define: { "process.env.NODE_ENV": '"production"', "process.env.NEXT_PUBLIC_ICE_SERVERS": "undefined" },
});
const html = `<!doctype html><html lang="es"><meta charset="utf-8"><title>Cleo</title><link rel="icon" href="data:,">
<body><div id="root"></div><script src="/page.js"></script></body></html>`;

// A route is a module: as text, since the example has no package.json that says "module".
const route = async (name) => {
  const text = await bundle({ entryPoints: [path.join(app, "app/api", name, "route.js")], format: "esm", platform: "node" });
  return (await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`)).POST;
};
const routes = { "/api/chats": await route("chats"), "/api/voice/webrtc/session": await route("voice/webrtc/session") };

createServer(async (incoming, outgoing) => {
  const handler = routes[incoming.url];
  if (incoming.method === "POST" && handler) {
    const gone = new AbortController();
    outgoing.on("close", () => outgoing.writableFinished || gone.abort());
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
    const asked = { method: "POST", headers, body: Buffer.concat(chunks), signal: gone.signal };
    const response = await handler(new Request(`http://localhost${incoming.url}`, asked));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
    return;
  }
  const [type, text] = incoming.url === "/page.js" ? ["text/javascript", script] : ["text/html", html];
  outgoing.writeHead(200, { "Content-Type": `${type}; charset=utf-8` });
  outgoing.end(text);
}).listen(0, "127.0.0.1", function () {
  console.log(this.address().port);
});
