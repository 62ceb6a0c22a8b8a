// What the other scripts stand on: natives as they were before the page's own code, and the way out.
// All scripts share one function, so nothing of them is in the page's reach.

const tellNatively = globalThis.__harnessTell;
delete globalThis.__harnessTell;
if (typeof tellNatively !== "function") return; // no document of ours

const apply = Reflect.apply;
const policy = document.featurePolicy;
const native = {
  now: performance.now.bind(performance),
  stringify: JSON.stringify,
  parse: JSON.parse,
  setTimeout: globalThis.setTimeout.bind(globalThis),
  setInterval: globalThis.setInterval.bind(globalThis),
  queueMicrotask: globalThis.queueMicrotask.bind(globalThis),
  then: Promise.prototype.then,
  listen: EventTarget.prototype.addEventListener,
  AudioContext: globalThis.AudioContext,
  Audio: globalThis.Audio,
  MediaStream: globalThis.MediaStream,
  Processor: globalThis.MediaStreamTrackProcessor,
  getUserMedia: globalThis.MediaDevices?.prototype.getUserMedia,
  enumerateDevices: globalThis.MediaDevices?.prototype.enumerateDevices,
  getStats: globalThis.RTCPeerConnection?.prototype.getStats,
  stopTrack: globalThis.MediaStreamTrack?.prototype.stop,
  cloneTrack: globalThis.MediaStreamTrack?.prototype.clone,
  connect: globalThis.AudioNode?.prototype.connect,
  play: HTMLMediaElement.prototype.play,
  allowsMicrophone: () => policy?.allowsFeature("microphone"), // undefined where the browser does not say
  btoa: globalThis.btoa.bind(globalThis),
  atob: globalThis.atob.bind(globalThis),
};
const origin = performance.timeOrigin;
const LONGEST_TEXT = 100_000; // of anything that is told: what a page holds may be of any size
const LONGEST_SDP = 200_000;
const LONGEST_EVENT = 1_000_000; // of the API: the largest that it may send has 256 KiB

const documentName = `${origin}/${Math.random()}`;
const now = () => origin + native.now(); // ms
const listen = (target, type, listener, options) => apply(native.listen, target, [type, listener, options]);
const cut = (text, longest = LONGEST_TEXT) => String(text).slice(0, longest);
const wordsOf = (error) => cut(error && error.name ? `${error.name}: ${error.message}` : String(error), 2000);

// --- telling ---

let waiting = [];

function tell(message) {
  if (!waiting.length) native.queueMicrotask(flush);
  waiting.push(message);
}

function flush() {
  const told = waiting;
  waiting = [];
  if (!told.length) return;
  try {
    apply(native.then, tellNatively(native.stringify({ document: documentName, told })), [undefined, () => {}]);
  } catch { /* the browser is closing */ }
}

function event(kind, fields = {}, at = now()) {
  tell({ event: { kind, at, ...fields } });
}

// What we look at may be anything, and what we get wrong must never reach the page.
function safely(look) {
  try {
    return look();
  } catch (error) {
    tell({ broke: wordsOf(error) + " " + cut((error && error.stack) || "", 500) });
    return undefined;
  }
}

// --- hooking: a proxy of a native function still calls itself native code ---

function hook(owner, name, around) {
  const found = owner && Object.getOwnPropertyDescriptor(owner, name);
  if (!found || typeof found.value !== "function") return;
  const value = new Proxy(found.value, {
    apply: (target, self, args) => around(self, args, (given = args) => apply(target, self, given)),
  });
  Object.defineProperty(owner, name, { ...found, value });
}

function hookSetter(owner, name, seen) {
  const found = owner && Object.getOwnPropertyDescriptor(owner, name);
  if (!found || !found.set) return;
  const set = new Proxy(found.set, {
    apply(target, self, args) {
      apply(target, self, args);
      safely(() => seen(self, args[0]));
    },
  });
  Object.defineProperty(owner, name, { ...found, set });
}

function hookGetter(owner, name, answered) {
  const found = owner && Object.getOwnPropertyDescriptor(owner, name);
  if (!found || !found.get) return;
  const get = new Proxy(found.get, {
    apply(target, self, args) {
      const given = apply(target, self, args);
      const instead = safely(() => answered(self, given));
      return instead === undefined ? given : instead;
    },
  });
  Object.defineProperty(owner, name, { ...found, get });
}

function hookClass(names, made) {
  const Native = globalThis[names[0]];
  if (typeof Native !== "function") return;
  const Hooked = new Proxy(Native, {
    construct(target, args, called) {
      const instance = Reflect.construct(target, args, called);
      safely(() => made(instance, args));
      return instance;
    },
  });
  Object.defineProperty(Native.prototype, "constructor", { value: Hooked, writable: true, configurable: true });
  for (const name of names) {
    const found = Object.getOwnPropertyDescriptor(globalThis, name);
    if (found) Object.defineProperty(globalThis, name, { ...found, value: Hooked });
  }
}

// The page is handed a promise like its own: to look at the very same one would count as handling it.
function watched(promise, fulfilled, rejected) {
  if (!(promise instanceof Promise)) return promise;
  return apply(native.then, promise, [
    (value) => { safely(() => fulfilled(value)); return value; },
    (error) => { safely(() => rejected(error)); throw error; },
  ]);
}

// --- the clock: how long our question took, with the moment at which it was answered, bounds the error ---

async function matchClock() {
  for (let n = 0; n < CONFIG.roundTrips; n += 1) {
    const asked = now();
    let theirs;
    try {
      theirs = await tellNatively(native.stringify({ document: documentName, told: [{ ping: asked }] }));
    } catch { return; }
    tell({ pong: { asked, answered: now(), theirs } });
  }
}
