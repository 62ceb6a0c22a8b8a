// What is heard, whether or not the page plays it; and whether it does.

const received = new Map(); // a received track → what is known of it
const elements = new Set(); // weak references to media elements that were given a stream
const refusals = new WeakMap(); // element → why play() was rejected
const sources = new WeakMap(); // Web Audio's source node → its stream
const sourceNodes = new Set(); // weak references to them
const leadsTo = new WeakMap(); // node → the nodes that it is connected to
const FRAMES = 10; // of 10 ms: told together

// --- an ear of our own ---

function hearTrack(connection, track) {
  if (!isOfTheCall(connection) || track.kind !== "audio" || received.has(track)) return;
  received.set(track, { told: "" });
  trackState(track, true);
  listen(track, "ended", () => trackState(track, true));
  const copy = apply(native.cloneTrack, track, []); // not silenced where the page disables its own
  // Chromium decodes a received track only while something pulls at it: an element of ours, which is mute.
  const puller = new native.Audio();
  puller.muted = true;
  puller.srcObject = new native.MediaStream([copy]);
  apply(native.play, puller, []).catch(() => {});
  received.get(track).puller = puller;
  hear(copy).catch((error) => tell({ broke: wordsOf(error) }));
  lookAtPlayback();
}

async function hear(track) {
  if (!native.Processor) {
    tell({ broke: "this browser has no MediaStreamTrackProcessor, so nothing can be heard" });
    return;
  }
  const reader = new native.Processor({ track }).readable.getReader();
  let samples = [];
  let began = 0;
  let rate = RATE;
  for (;;) {
    const { done, value: frame } = await reader.read();
    if (done) break;
    if (!samples.length) began = now();
    rate = frame.sampleRate;
    const plane = new Float32Array(frame.numberOfFrames);
    frame.copyTo(plane, { planeIndex: 0, format: "f32-planar" });
    frame.close();
    samples.push(plane);
    if (samples.length >= FRAMES) {
      tell({ pcm: { at: began, rate, samples: encoded(samples), track: cut(track.id, 100) } });
      samples = [];
    }
  }
}

function encoded(planes) {
  let text = "";
  for (const plane of planes)
    for (let n = 0; n < plane.length; n += 1) {
      const value = Math.max(-32768, Math.min(32767, Math.round(plane[n] * 32768))) & 0xffff;
      text += String.fromCharCode(value & 0xff, value >> 8);
    }
  return native.btoa(text);
}

// --- whether the page plays it ---

function given(element, stream) {
  if (![...elements].some((known) => known.deref() === element)) {
    elements.add(new WeakRef(element));
    for (const type of ["play", "playing", "pause", "volumechange", "emptied", "ended"])
      listen(element, type, lookAtPlayback);
  }
  lookAtPlayback();
}

hookSetter(HTMLMediaElement.prototype, "srcObject", (self, stream) => given(self, stream));
hook(HTMLMediaElement.prototype, "play", (self, args, go) => {
  safely(() => refusals.delete(self));
  return watched(go(), lookAtPlayback, (error) => {
    refusals.set(self, wordsOf(error));
    lookAtPlayback();
  });
});

function sourceMade(node, stream) {
  sources.set(node, stream);
  sourceNodes.add(new WeakRef(node));
  listen(node.context, "statechange", lookAtPlayback);
  lookAtPlayback();
}
hook(globalThis.AudioContext?.prototype, "createMediaStreamSource", (self, args, go) => {
  const node = go();
  safely(() => sourceMade(node, args[0]));
  return node;
});
hookClass(["MediaStreamAudioSourceNode"], (node, args) => sourceMade(node, args[1] && args[1].mediaStream));
hook(globalThis.AudioNode?.prototype, "connect", (self, args, go) => {
  const done = go();
  safely(() => {
    if (!leadsTo.has(self)) leadsTo.set(self, new Set());
    leadsTo.get(self).add(args[0]);
    lookAtPlayback();
  });
  return done;
});
hook(globalThis.AudioNode?.prototype, "disconnect", (self, args, go) => {
  const done = go();
  safely(() => {
    if (args.length && args[0] instanceof globalThis.AudioNode) leadsTo.get(self)?.delete(args[0]);
    else leadsTo.delete(self);
    lookAtPlayback();
  });
  return done;
});

// The ends that a source leads to: the loudspeaker, or streams which may be played by an element in turn.
function ends(node, seen = new Set()) {
  if (seen.has(node)) return [];
  seen.add(node);
  if (node === node.context?.destination || node instanceof globalThis.MediaStreamAudioDestinationNode) return [node];
  return [...(leadsTo.get(node) || [])].flatMap((next) => (next instanceof globalThis.AudioNode ? ends(next, seen) : []));
}

function byElements(holds) {
  const found = [];
  for (const reference of elements) {
    const element = reference.deref();
    if (!element) { elements.delete(reference); continue; }
    const stream = element.srcObject;
    if (!stream || !(stream instanceof native.MediaStream) || !stream.getAudioTracks().some(holds)) continue;
    let state = "playing";
    if (refusals.has(element) && element.paused) state = "refused";
    else if (element.paused) state = "paused";
    else if (element.muted) state = "muted";
    else if (element.volume === 0) state = "silent";
    else if (element.readyState < 2) state = "waiting";
    found.push({ by: "element", state, error: state === "refused" ? refusals.get(element) : "" });
  }
  return found;
}

function byWebAudio(track) {
  const found = [];
  for (const reference of sourceNodes) {
    const node = reference.deref();
    if (!node) { sourceNodes.delete(reference); continue; }
    const stream = sources.get(node);
    if (!stream || !stream.getAudioTracks().includes(track)) continue;
    const reached = ends(node);
    const running = node.context.state === "running" ? "playing" : node.context.state;
    if (!reached.length) found.push({ by: "web-audio", state: "unconnected", error: "" });
    for (const end of reached) {
      if (end === node.context.destination) found.push({ by: "web-audio", state: running, error: "" });
      else for (const path of byElements((other) => end.stream.getAudioTracks().includes(other)))
        found.push(path.state === "playing" && running !== "playing" ? { by: "web-audio", state: running, error: "" } : path);
    }
  }
  return found;
}

function lookAtPlayback() {
  safely(() => {
    for (const [track, known] of received) {
      const paths = [...byElements((other) => other === track || other.id === track.id), ...byWebAudio(track)];
      const told = native.stringify([track.enabled, paths]);
      if (told === known.told) continue;
      known.told = told;
      event("playback-changed", { track: cut(track.id, 100), paths });
    }
  });
}

// What fires no event: an element out of the document, a context that the system suspends, readyState.
native.setInterval(lookAtPlayback, 200);
