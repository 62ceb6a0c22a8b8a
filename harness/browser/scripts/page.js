// The page itself: what stands on it, what goes wrong in its code, and when it goes.

if (location.href !== "about:blank") event("page-opened", {
  url: cut(location.href, 2000), secure: globalThis.isSecureContext,
  frame: globalThis.top !== globalThis || Boolean(globalThis.opener),
});

listen(globalThis, "error", (happened) => {
  if (!(happened instanceof ErrorEvent)) return; // a picture that is missing is no error of the code
  const place = happened.filename ? ` (${cut(happened.filename, 300)}:${happened.lineno})` : "";
  const message = cut(happened.message || wordsOf(happened.error), 2000) + place;
  native.setTimeout(() => happened.defaultPrevented || event("page-erred", { source: "uncaught", message }), 0);
}, true);
listen(globalThis, "unhandledrejection", (happened) => {
  const message = wordsOf(happened.reason);
  native.setTimeout(() => happened.defaultPrevented || event("page-erred", { source: "unhandled", message }), 0);
}, true);
listen(globalThis, "pagehide", () => {
  if (globalThis.top === globalThis && location.href !== "about:blank")
    event("page-left", { url: cut(location.href, 2000) });
  flush();
}, true);

// --- what can be read on it: each line that was not there before ---

let lines = new Set();
let looking = false;

function readText() {
  looking = false;
  safely(() => {
    const text = document.body ? cut(document.body.innerText) : "";
    const found = new Set(text.split("\n").map((line) => line.trim()).filter(Boolean).slice(0, 500));
    for (const line of found) if (!lines.has(line)) event("text-shown", { text: cut(line, 500) });
    lines = found;
  });
}

function lookAtText() {
  if (looking) return;
  looking = true;
  native.setTimeout(readText, 50);
}

new MutationObserver(lookAtText).observe(document, {
  subtree: true, childList: true, characterData: true, attributes: true,
  attributeFilter: ["class", "style", "hidden", "open", "aria-hidden", "disabled"],
});
listen(document, "DOMContentLoaded", lookAtText);
listen(globalThis, "load", lookAtText);

// --- when a request was made: its content is the browser's to tell ---

function requested(url, body) {
  safely(() => tell({ requested: { at: now(), url: cut(new URL(url, document.baseURI).href, 4000), has_body: Boolean(body) } }));
}
hook(globalThis, "fetch", (self, args, go) => {
  safely(() => {
    const request = args[0] instanceof Request ? args[0] : null;
    requested(request ? request.url : String(args[0]), (args[1] && args[1].body) || (request && request.body));
  });
  return go();
});
const opened = new WeakMap();
hook(XMLHttpRequest.prototype, "open", (self, args, go) => {
  safely(() => opened.set(self, String(args[1])));
  return go();
});
hook(XMLHttpRequest.prototype, "send", (self, args, go) => {
  safely(() => requested(opened.get(self) || "", args[0]));
  return go();
});

// --- orders, under a name that nobody can guess ---

Object.defineProperty(globalThis, Symbol.for(CONFIG.secret), {
  enumerable: false,
  value: Object.freeze({
    say, hush,
    hasMicrophone: () => ours.size > 0,
    isReady: () => Boolean(ofTheCall),
  }),
});

matchClock();
