// A gateway as some relays have one upstream: it ends WebRTC itself, with libwebrtc, and holds the conversation
// over OpenAI's WebSocket. POST /v1/realtime/calls answers as OpenAI does.
//
// Usage: node gateway.mjs WEBSOCKET_URL   (the key is in OPENAI_API_KEY; it ends with its standard input)
import { randomBytes } from "node:crypto";
import http from "node:http";
import { once } from "node:events";
import wrtc from "@roamhq/wrtc";
import WebSocket from "ws";

const { RTCAudioSink, RTCAudioSource } = wrtc.nonstandard;
const RATE = 24_000; // of pcm16 over the WebSocket
const FRAME = RATE / 100; // what libwebrtc takes at once: 10 ms
const APPENDED = 4 * FRAME; // what is sent upstream at once
const OURS = "gateway_"; // begins the ids of events that the caller knows nothing of
const LONGEST_BODY = 1 << 20;

const [upstream] = process.argv.slice(2);
const calls = new Map();

class Call {
  constructor(session) {
    this.id = `rtc_${randomBytes(16).toString("hex")}`;
    this.session = session;
    this.channel = null;
    this.waiting = []; // for the channel to open
    this.playing = []; // frames of 10 ms
    this.played = 0; // frames of the item that plays
    this.heard = [];
    this.reply = null; // the response that plays: {response, item, content, complete}
    this.peer = new wrtc.RTCPeerConnection();
    this.source = new RTCAudioSource();
    this.socket = new WebSocket(upstream + encodeURIComponent(session.model ?? "gpt-realtime-2.1"), {
      headers: { Authorization: `Bearer ${process.env.OPENAI_API_KEY}` },
    });
    this.socket.on("message", (text) => this.fromUpstream(JSON.parse(text)));
    this.socket.on("close", () => this.end());
    this.socket.on("error", () => this.end());
    this.peer.ondatachannel = ({ channel }) => this.opened(channel);
    this.peer.ontrack = ({ track }) => this.listen(track);
    this.peer.onconnectionstatechange = () => {
      if (this.peer.connectionState === "connected") this.play();
      if (["failed", "closed"].includes(this.peer.connectionState)) this.end();
    };
  }

  async answer(sdp) {
    await this.peer.setRemoteDescription({ type: "offer", sdp });
    this.peer.addTrack(this.source.createTrack(), new wrtc.MediaStream());
    await this.peer.setLocalDescription(await this.peer.createAnswer());
    while (this.peer.iceGatheringState !== "complete")
      await new Promise((resolve) => (this.peer.onicegatheringstatechange = resolve));
    return this.peer.localDescription.sdp;
  }

  end() {
    if (!calls.delete(this.id)) return;
    clearTimeout(this.timer);
    this.sink?.stop();
    this.socket.close();
    this.channel?.close();
    this.peer.close();
  }

  // --- events ---

  opened(channel) {
    this.channel = channel;
    channel.onmessage = ({ data }) => this.fromCaller(data);
    channel.onclose = () => this.end();
    const flush = () => this.waiting.splice(0).forEach((text) => channel.send(text));
    channel.onopen = flush;
    if (channel.readyState === "open") flush();
  }

  toCaller(event) {
    const text = JSON.stringify({ event_id: `event_${randomBytes(10).toString("hex")}`, ...event });
    if (this.channel?.readyState === "open") this.channel.send(text);
    else this.waiting.push(text);
  }

  toUpstream(event) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(event));
  }

  fromCaller(text) {
    let event = null;
    try {
      event = JSON.parse(text);
    } catch {
      // upstream says what is wrong with it
    }
    if (event?.type === "output_audio_buffer.clear") this.clear();
    else if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  fromUpstream(event) {
    const caller = { ...event };
    switch (event.type) {
      case "session.created": // the caller learns of the session as it is configured
        this.created = event;
        this.toUpstream({ event_id: `${OURS}session`, type: "session.update", session: this.session });
        return;
      case "session.updated":
        if (this.created) {
          caller.type = "session.created";
          this.created = null;
        }
        break;
      case "response.output_audio.delta":
        this.speak(event);
        return;
      case "response.done":
        if (this.reply?.response === event.response.id) this.reply.complete = true;
        break;
      case "input_audio_buffer.speech_started":
        this.toCaller(caller);
        this.interrupt();
        return;
      case "error":
        if (event.error?.event_id?.startsWith(OURS)) return;
    }
    this.toCaller(caller);
  }

  // --- sound ---

  listen(track) {
    this.sink = new RTCAudioSink(track);
    this.sink.ondata = ({ samples, sampleRate, channelCount }) => {
      const step = (sampleRate / RATE) * channelCount;
      for (let i = 0; i + step <= samples.length; i += step) {
        let sum = 0;
        for (let j = 0; j < step; j++) sum += samples[i + j];
        this.heard.push(Math.round(sum / step));
      }
      if (this.heard.length < APPENDED || this.socket.readyState !== WebSocket.OPEN) return;
      const pcm = Int16Array.from(this.heard.splice(0));
      this.toUpstream({
        event_id: `${OURS}audio`,
        type: "input_audio_buffer.append",
        audio: Buffer.from(pcm.buffer).toString("base64"),
      });
    };
  }

  speak({ response_id, item_id, content_index, delta }) {
    if (this.reply?.response !== response_id) {
      this.reply = { response: response_id, item: item_id, content: content_index, complete: false };
      this.played = 0;
      this.rest = [];
      this.toCaller({ type: "output_audio_buffer.started", response_id });
    }
    const bytes = Buffer.from(delta, "base64");
    for (let i = 0; i + 1 < bytes.length; i += 2) this.rest.push(bytes.readInt16LE(i));
    while (this.rest.length >= FRAME) this.playing.push(Int16Array.from(this.rest.splice(0, FRAME)));
  }

  play() {
    if (this.due) return;
    this.due = performance.now();
    const tick = () => {
      for (; this.due <= performance.now(); this.due += 10) this.frame();
      this.timer = setTimeout(tick, 5);
    };
    tick();
  }

  frame() {
    const samples = this.playing.shift();
    this.source.onData({ samples: samples ?? new Int16Array(FRAME), sampleRate: RATE, channelCount: 1 });
    if (samples) this.played++;
    if (this.reply?.complete && !this.playing.length) {
      this.toCaller({ type: "output_audio_buffer.stopped", response_id: this.reply.response });
      this.reply = null;
    }
  }

  clear() {
    if (!this.reply) return;
    this.playing = [];
    this.toCaller({ type: "output_audio_buffer.cleared", response_id: this.reply.response });
    this.reply = null;
  }

  interrupt() {
    if (!this.reply) return;
    const { item, content } = this.reply;
    this.clear();
    this.toUpstream({
      event_id: `${OURS}truncate`,
      type: "conversation.item.truncate",
      item_id: item,
      content_index: content,
      audio_end_ms: this.played * 10,
    });
  }
}

function parts(body, type) {
  const boundary = /boundary="?([^";]+)/.exec(type)?.[1];
  const found = {};
  for (const part of boundary ? body.split(`--${boundary}`) : []) {
    const [head, ...rest] = part.split("\r\n\r\n");
    const name = /name="([^"]*)"/.exec(head)?.[1];
    if (name) found[name] = rest.join("\r\n\r\n").replace(/\r\n$/, "");
  }
  return found;
}

async function post(request, response) {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > LONGEST_BODY) return refuse(response, 413, "too long");
  }
  const hangUp = /\/realtime\/calls\/([^/]+)\/hangup$/.exec(request.url);
  if (hangUp) {
    const call = calls.get(hangUp[1]);
    call?.end();
    return call ? response.writeHead(200).end() : refuse(response, 404, "no such call");
  }
  if (!/\/realtime\/calls$/.test(request.url)) return refuse(response, 404, "no such path");
  const { sdp, session } = parts(body, request.headers["content-type"] ?? "");
  let call;
  try {
    call = new Call(JSON.parse(session ?? '{"type": "realtime"}'));
    calls.set(call.id, call);
    const answer = await call.answer(sdp);
    response.writeHead(201, { "Content-Type": "application/sdp", Location: `/v1/realtime/calls/${call.id}` });
    response.end(answer);
  } catch (error) {
    call?.end();
    refuse(response, 400, String(error));
  }
}

function refuse(response, status, message) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ error: { type: "invalid_request_error", code: "invalid_offer", message } }));
}

const server = http.createServer(post);
server.listen(0, "127.0.0.1");
await once(server, "listening");
console.log(`http://127.0.0.1:${server.address().port}`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
