"use strict";
// A call as a page should make it, in the order of operations that voice pages are taught:
// connection, listeners, microphone, channel, its listeners, offer, answer. Each `wrong(…)` is a fault that
// the query plants: ?fault=NAME, more than once for several.

const query = new URLSearchParams(location.search);
const faults = new Set(query.getAll("fault"));
const wrong = (name) => faults.has(name);
const words = WORDS[query.get("lang") === "es" ? "es" : "en"];
const relay = query.get("relay") || "/api/voice/webrtc/session";
const stun = query.get("stun") || "stun:127.0.0.1:9";
const OPENS_WITHIN = 5000; // ms
const SURVIVES = 10_000; // ms of `disconnected`; Chromium says `failed` some 15 s after it
const RETRIES = 5; // for a call that was lost with its network, each pause twice the one before

const element = (id) => document.getElementById(id);
const show = (id, text) => { element(id).textContent = text; };

let call = null;
let contextMadeTooSoon = null;
let retries = 0; // of a call that is being made anew
let retrying = 0;

// --- the way there ---

async function start() {
  if (call && !wrong("double-click")) return; // a second click while the first is being served
  history.pushState({ call: true }, ""); // Back leads out of the call, not out of the page
  await begin();
}

async function begin() {
  call = { stream: null, connection: null, channel: null, audio: null, timers: [] };
  const mine = call;
  show("problem", "");
  // Not hidden: what took its place would be hit by the second click of a double click.
  element("start").disabled = !wrong("double-click");
  element("stop").hidden = wrong("no-stop");
  try {
    await connect(mine);
  } catch (error) {
    if (mine !== call) return;
    if (retries && !/^Not/.test(error.name)) return renew();
    fail(error.name === "NotAllowedError" ? words.denied : error.name === "NotFoundError" ? words.missing : words.failed,
      wrong("denied-silently") && /^Not/.test(error.name));
  }
}

function configuration() {
  const found = {
    iceServers: wrong("no-ice-servers") ? [] : [{ urls: stun }],
    iceTransportPolicy: wrong("relay-only") ? "relay" : "all",
    bundlePolicy: wrong("max-compat") ? "max-compat" : query.get("bundle") || "max-bundle",
    rtcpMuxPolicy: "require",
  };
  return found;
}

async function connect(mine) {
  const connection = mine.connection = new RTCPeerConnection(configuration());
  if (wrong("two-connections")) mine.spare = spareConnection();
  if (wrong("throws")) setTimeout(() => nothing.there(), 10); // eslint-disable-line
  if (wrong("rejects")) Promise.reject(new Error("nobody waits for this"));
  if (wrong("navigates-away")) { location.href = `?${new URLSearchParams({ lang: query.get("lang") || "en" })}`; return; }

  const play = ({ track, streams }) => playReply(mine, streams[0] || new MediaStream([track]));
  if (!wrong("late-track-listener")) connection.ontrack = play;
  connection.oniceconnectionstatechange = () => watchConnection(mine);

  const sendsVoice = !wrong("no-microphone");
  if (sendsVoice) {
    show("status", words.asking);
    if (wrong("offers-before-microphone")) {
      connection.addTransceiver("audio", { direction: "recvonly" });
      microphone().then((stream) => { mine.stream = stream; connection.addTrack(stream.getAudioTracks()[0], stream); });
    } else mine.stream = await microphone();
    if (mine !== call && !wrong("double-click")) { mine.stream.getTracks().forEach((track) => track.stop()); return; } // it came too late
    if (wrong("mute-track")) mine.stream.getAudioTracks()[0].enabled = false;
    if (wrong("not-sent")) connection.addTransceiver("audio", { direction: "recvonly" });
    else if (!wrong("offers-before-microphone")) connection.addTrack(mine.stream.getAudioTracks()[0], mine.stream);
    if (wrong("stopped-track")) mine.stream.getAudioTracks()[0].stop();
  } else connection.addTransceiver("audio", { direction: "recvonly" });
  show("status", wrong("ready-early") ? words.listening : words.connecting);

  const openChannel = () => {
    const channel = mine.channel = connection.createDataChannel("oai-events", { ordered: true });
    channel.onopen = () => opened(mine);
    if (!wrong("late-listeners") && !wrong("never-listens")) channel.onmessage = (message) => heard(mine, JSON.parse(message.data));
    if (wrong("sends-early")) { try { channel.send(sessionUpdate()); } catch { /* swallowed */ } }
  };
  if (!wrong("no-channel") && !wrong("channel-after-offer")) openChannel();

  if (wrong("swallows-error")) { try { throw new Error("said to nobody"); } catch { return; } }
  const offer = await connection.createOffer();
  if (wrong("channel-after-offer")) openChannel();
  await connection.setLocalDescription(offer);
  if (wrong("waits-for-gathering")) await gathered(connection);
  if (wrong("never-offers")) return;

  const answer = await ask(mine, sdpOf(connection, offer));
  if (mine !== call) return;
  await connection.setRemoteDescription({ type: "answer", sdp: answer });
  if (wrong("late-track-listener")) setTimeout(() => { connection.ontrack = play; }, 500);
  if (!wrong("never-gives-up")) mine.timers.push(setTimeout(() => tooLate(mine), OPENS_WITHIN));
}

const sdpOf = (connection, offer) => {
  const sdp = wrong("waits-for-gathering") ? connection.localDescription.sdp : offer.sdp;
  if (wrong("rewrites-offer")) return sdp.replace("a=extmap-allow-mixed\r\n", "");
  return wrong("trims-offer") ? sdp.trim() : sdp;
};

function microphone() {
  const audio = { echoCancellation: !wrong("no-echo-cancellation"), noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  if (wrong("demands-microphone")) audio.deviceId = { exact: "the developer's own" };
  const given = navigator.mediaDevices.getUserMedia({ audio });
  if (!wrong("impatient-microphone")) return given;
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("no microphone in 300 ms")), 300));
  return Promise.race([given, late]);
}

function gathered(connection) {
  if (connection.iceGatheringState === "complete") return undefined;
  return new Promise((resolve) => connection.addEventListener("icegatheringstatechange", () =>
    connection.iceGatheringState === "complete" && resolve()));
}

async function ask(mine, sdp) {
  const headers = { "Content-Type": "application/json" };
  if (query.get("token")) headers.Authorization = `Bearer ${query.get("token")}`;
  if (wrong("key-in-request")) headers["X-Debug-Key"] = "sk-proj-Aa1" + "Zz9".repeat(10);
  const response = await fetch(relay, { method: "POST", headers, body: JSON.stringify({ sdp }) });
  if (!response.ok) throw new Error(`the relay answered ${response.status}`);
  return response.text();
}

function spareConnection() {
  const spare = new RTCPeerConnection(configuration());
  spare.createDataChannel("spare");
  spare.createOffer().then((offer) => spare.setLocalDescription(offer));
  return spare;
}

// --- while it lasts ---

function sessionUpdate() {
  const turn_detection = { type: "server_vad", silence_duration_ms: 500 };
  const session = wrong("beta-update")
    ? { modalities: ["audio", "text"], voice: "marin", input_audio_format: "pcm16", turn_detection }
    : { type: "realtime", audio: { input: { turn_detection } } };
  return JSON.stringify({ type: "session.update", session });
}

function opened(mine) {
  if (mine !== call) return;
  if (!wrong("ready-early")) show("status", words.listening);
  const since = Date.now();
  mine.timers.push(setInterval(() => show("duration", `${Math.round((Date.now() - since) / 1000)} s`), 1000));
  element("duration").hidden = false;
  element("mute").hidden = false;
  if (!wrong("sends-early")) mine.channel.send(sessionUpdate());
  if (wrong("late-listeners"))
    setTimeout(() => { mine.channel.onmessage = (message) => heard(mine, JSON.parse(message.data)); }, 1000);
}

function heard(mine, event) {
  if (event.type === "error") console.warn(event.error.message);
}

function playReply(mine, stream) {
  if (wrong("no-element")) return;
  if (wrong("web-audio-suspended")) {
    const context = contextMadeTooSoon;
    context.createMediaStreamSource(stream).connect(context.destination);
    return;
  }
  if (wrong("visualizer-only")) {
    const context = new AudioContext();
    context.createMediaStreamSource(stream).connect(context.createAnalyser());
    return;
  }
  if (wrong("web-audio")) {
    const context = new AudioContext();
    context.createMediaStreamSource(stream).connect(context.createGain()).connect(context.destination);
  }
  const audio = mine.audio = new Audio();
  audio.autoplay = !wrong("element-paused") && !wrong("play-interrupted");
  audio.muted = wrong("element-muted") || wrong("web-audio");
  audio.volume = wrong("element-silent") ? 0 : 1;
  audio.srcObject = stream;
  if (wrong("play-interrupted")) {
    audio.play().catch(() => {});
    audio.pause();
  }
  if (wrong("reply-disabled")) for (const track of stream.getAudioTracks()) track.enabled = false;
}

function watchConnection(mine) {
  if (mine !== call || wrong("never-notices-loss")) return;
  const state = mine.connection.iceConnectionState;
  clearTimeout(mine.lost);
  if (state === "connected") {
    retries = 0;
    show("problem", "");
  }
  if (state === "disconnected") {
    if (wrong("disconnected-is-final")) { fail(words.lost); return; }
    if (wrong("restarts-ice-alone")) mine.connection.restartIce();
    if (!wrong("loses-silently")) show("problem", words.weak);
    mine.lost = setTimeout(() => lose(mine), SURVIVES);
  }
  if (state === "failed") lose(mine);
}

function lose(mine) {
  if (mine !== call || wrong("restarts-ice-alone")) return;
  if (wrong("loses-silently") || wrong("never-renews")) { fail(words.lost, wrong("loses-silently")); return; }
  renew();
}

// A call that is lost is made anew: the far end takes no second offer for it.
function renew() {
  cleanUp();
  if (retries >= RETRIES) { retries = 0; fail(words.lost); return; }
  show("problem", words.again);
  element("stop").hidden = wrong("no-stop");
  retrying = setTimeout(begin, 500 * 2 ** retries);
  retries += 1;
}

function tooLate(mine) {
  if (mine !== call || (mine.channel && mine.channel.readyState === "open")) return;
  fail(words.late, wrong("gives-up-silently"));
}

function mute() {
  const [track] = call.stream.getAudioTracks();
  track.enabled = !track.enabled;
  show("mute", track.enabled ? words.mute : words.unmute);
}

// --- the way back: channel, connection, tracks, element ---

function cleanUp() {
  const mine = call;
  call = null;
  clearTimeout(retrying);
  if (!mine) return;
  for (const timer of mine.timers) clearTimeout(timer);
  clearTimeout(mine.lost);
  if (mine.channel && !wrong("keeps-connection") && !wrong("channel-last")) mine.channel.close();
  if (mine.connection && !wrong("keeps-connection")) mine.connection.close();
  if (mine.channel && wrong("channel-last")) mine.channel.close();
  if (mine.spare) mine.spare.close();
  if (mine.stream && !wrong("keeps-microphone")) mine.stream.getTracks().forEach((track) => track.stop());
  if (mine.audio && !wrong("keeps-element")) mine.audio.srcObject = null;
  element("start").disabled = false;
  for (const id of ["stop", "mute", "duration"]) element(id).hidden = true;
}

function fail(text, silently = false) {
  cleanUp();
  show("status", "");
  if (!silently) show("problem", text);
}

function stop() {
  cleanUp();
  retries = 0;
  show("problem", "");
  show("status", words.ended);
}

// --- the page ---

document.documentElement.lang = words === WORDS.es ? "es" : "en";
for (const id of ["title", "start", "stop", "mute"]) show(id, words[id]);
show("status", words.idle);
element("start").onclick = start;
element("stop").onclick = stop;
element("mute").onclick = mute;
addEventListener("pagehide", cleanUp);
addEventListener("popstate", () => { if (!wrong("keeps-call-on-leaving")) stop(); });
if (wrong("web-audio-suspended")) contextMadeTooSoon = new AudioContext(); // before anybody has clicked
if (wrong("no-button")) element("start").remove();
if (wrong("does-nothing")) element("start").onclick = null;
if (wrong("login")) {
  document.body.innerHTML = `<h1>${words.login}</h1><form><label>${words.password} <input type="password"></label>
    <button type="button">${words.enter}</button></form>`;
}
if (wrong("key-in-page")) {
  const script = document.createElement("script");
  script.src = "key.js";
  document.head.append(script);
}
