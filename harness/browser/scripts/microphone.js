// A microphone that obeys: getUserMedia is answered by the browser itself (permission, constraints, devices),
// and then the sound of its device is replaced by ours. It is a source that never ends, so packets never stop.

const RATE = 48_000;
const behind = new WeakMap(); // a track of ours → the device's own, for what is said about it
const ours = new Set();
let studio = null; // where the sound is made

function openStudio() {
  if (studio) return studio;
  const context = new native.AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
  const voice = new GainNode(context);
  const silence = new ConstantSourceNode(context, { offset: 0 });
  apply(native.connect, silence, [voice]);
  silence.start();
  studio = { context, voice, saying: null };
  return studio;
}

const micEnabled = () => [...ours].some((track) => track.enabled && track.readyState === "live");
const trackState = (track, received = false) => event("track-changed", {
  track: cut(track.id, 100), received, enabled: track.enabled, ended: track.readyState === "ended",
});

function asOurs(stream) {
  const { context, voice } = openStudio();
  if (context.state !== "running") context.resume().catch(() => {});
  const tracks = [];
  for (const device of stream.getTracks()) {
    if (device.kind !== "audio") {
      tracks.push(device);
      continue;
    }
    const end = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    apply(native.connect, voice, [end]);
    const [track] = end.stream.getAudioTracks();
    behind.set(track, device);
    ours.add(track);
    tracks.push(track);
    event("microphone-given", { track: cut(track.id, 100) });
  }
  return new native.MediaStream(tracks);
}

const REFUSALS = {
  denied: ["Permission denied", "NotAllowedError"],
  missing: ["Requested device not found", "NotFoundError"],
};

function answered(self, args) {
  const { kind, delay } = CONFIG.microphone;
  return new Promise((resolve, reject) => {
    native.setTimeout(() => {
      if (REFUSALS[kind]) reject(new DOMException(...REFUSALS[kind]));
      else apply(native.then, apply(native.getUserMedia, self, args), [(stream) => resolve(asOurs(stream)), reject]);
    }, delay);
  });
}

hook(globalThis.MediaDevices?.prototype, "getUserMedia", (self, args, go) => {
  const wantsAudio = safely(() => Boolean(args[0] && args[0].audio));
  if (!wantsAudio) return go();
  safely(() => event("microphone-asked", { constraints: plain(args[0]) }));
  return watched(answered(self, args), () => {}, (error) => event("microphone-refused", {
    error: cut((error && error.name) || "", 100), message: cut((error && error.message) || "", 500),
    planned: CONFIG.microphone.kind in REFUSALS, policy_forbids: native.allowsMicrophone() === false,
  }));
});

// --- what a page asks the track, the device answers ---

const Track = globalThis.MediaStreamTrack?.prototype;

hookGetter(Track, "label", (self) => behind.get(self)?.label);
for (const name of ["getSettings", "getCapabilities", "getConstraints", "applyConstraints"])
  hook(Track, name, (self, args, go) => {
    const device = behind.get(self);
    return device ? device[name](...args) : go();
  });
hookSetter(Track, "enabled", (self) => {
  if (ours.has(self)) trackState(self);
  else if (received.has(self)) { trackState(self, true); lookAtPlayback(); }
});
hook(Track, "stop", (self, args, go) => {
  const done = go();
  safely(() => {
    if (!ours.has(self)) return;
    trackState(self);
    const device = behind.get(self);
    if (device && ![...ours].some((other) => other.readyState === "live" && behind.get(other) === device))
      apply(native.stopTrack, device, []);
  });
  return done;
});
hook(Track, "clone", (self, args, go) => {
  const copy = go();
  safely(() => {
    if (!ours.has(self)) return;
    ours.add(copy);
    behind.set(copy, behind.get(self));
  });
  return copy;
});

// --- what we say ---

function samplesOf(base64) {
  const bytes = native.atob(base64);
  const samples = new Float32Array(bytes.length >> 1);
  for (let n = 0; n < samples.length; n += 1) {
    const value = bytes.charCodeAt(2 * n) | (bytes.charCodeAt(2 * n + 1) << 8);
    samples[n] = (value > 32767 ? value - 65536 : value) / 32768;
  }
  return samples;
}

// Begins at a moment that is answered; it ends by itself, or by `hush`.
async function say(pcm) {
  if (!ours.size) return { failed: "the page holds no microphone" };
  const { context, voice } = openStudio();
  if (context.state !== "running") await context.resume();
  const samples = samplesOf(pcm);
  const buffer = new AudioBuffer({ length: samples.length, sampleRate: RATE, numberOfChannels: 1 });
  buffer.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  apply(native.connect, source, [voice]);
  hush();
  studio.saying = source;
  const lead = 0.06; // s: far enough ahead that the moment is met
  const begins = context.currentTime + lead;
  source.start(begins);
  return { failed: "", document: documentName, at: now() + 1000 * lead };
}

function hush() {
  const source = studio && studio.saying;
  if (source) {
    studio.saying = null;
    source.stop();
  }
  return true;
}
