// RTCPeerConnection and its channel. The call's connection is the first that takes an answer, and until then the
// first that has an offer.

const numbers = new WeakMap(); // connection → its number
const owners = new WeakMap(); // channel → its connection
const seenTransports = new WeakSet();
const answeredOnes = new WeakSet(); // connections that were given an answer
let made = 0;
let ofTheCall = null;

const isOfTheCall = (connection) => ofTheCall === connection;
const numberOf = (connection) => numbers.get(connection) || 0;

function used(connection, method, fields = {}, at = now()) {
  event("connection-used", { connection: numberOf(connection), method, ...fields }, at);
}

function state(connection, layer, name, detail = "") {
  if (isOfTheCall(connection)) event("state-changed", { layer, state: cut(name, 40), detail: cut(detail, 500) });
}

// --- what it was configured with, without credentials ---

function plain(value, depth = 0) {
  if (value === null || ["string", "number", "boolean"].includes(typeof value))
    return typeof value === "string" ? cut(value, 2000) : value;
  if (depth > 4 || typeof value !== "object") return null;
  if (Array.isArray(value)) return value.slice(0, 50).map((item) => plain(item, depth + 1));
  const found = {};
  for (const key of Object.keys(value).slice(0, 50))
    if (!/credential|username|certificates/i.test(key)) found[cut(key, 100)] = plain(value[key], depth + 1);
  return found;
}

hookClass(["RTCPeerConnection", "webkitRTCPeerConnection"], (connection, args) => {
  numbers.set(connection, (made += 1));
  event("connection-made", { connection: made, configuration: plain(args[0] || {}) });
  listen(connection, "icegatheringstatechange", () => {
    if (connection.iceGatheringState !== "new") state(connection, "gathering", connection.iceGatheringState);
  });
  listen(connection, "iceconnectionstatechange", () => {
    const name = connection.iceConnectionState;
    if (name !== "completed" && name !== "new") state(connection, "ice", name);
    if (name === "connected") safely(() => countPackets(connection));
    watchTransports(connection);
  });
  listen(connection, "icecandidate", ({ candidate }) => {
    if (!candidate || !candidate.candidate || !isOfTheCall(connection)) return;
    event("candidate-found", {
      type: cut(candidate.type || "host", 20),
      protocol: cut(candidate.protocol || "", 20),
      address: cut(candidate.address || "", 100),
      port: candidate.port || 0,
    });
  });
  listen(connection, "connectionstatechange", () => watchTransports(connection));
  listen(connection, "track", ({ track }) => safely(() => hearTrack(connection, track)));
  listen(connection, "datachannel", ({ channel }) => safely(() => watchChannel(connection, channel)));
});

function watchTransports(connection) {
  safely(() => {
    for (const sender of connection.getSenders()) watchTransport(connection, "dtls", sender.transport);
    if (connection.sctp) {
      watchTransport(connection, "sctp", connection.sctp);
      watchTransport(connection, "dtls", connection.sctp.transport);
    }
  });
}

function watchTransport(connection, layer, transport) {
  if (!transport || seenTransports.has(transport)) return;
  seenTransports.add(transport);
  // An answer that bundles closes the transports of all sections but one: they never began, and nothing has ended.
  let began = false;
  const told = () => {
    const name = transport.state;
    began ||= name === "connected" || (layer === "dtls" && name === "connecting");
    if (name !== "new" && (name !== "closed" || began)) state(connection, layer, name);
  };
  told();
  listen(transport, "statechange", told);
  if (layer === "dtls") {
    listen(transport, "error", ({ error }) => state(connection, layer, "failed", wordsOf(error)));
    listen(transport, "statechange", () => {
      if (transport.state === "connected") countPackets(connection);
    });
  }
}

// --- methods ---

const Connection = globalThis.RTCPeerConnection?.prototype;

hook(Connection, "createOffer", (self, args, go) => {
  const began = now();
  safely(() => used(self, "createOffer", {}, began));
  return watched(go(),
    (offer) => used(self, "createOffer", { detail: "done", sdp: cut(offer && offer.sdp, LONGEST_SDP) }),
    (error) => used(self, "createOffer", { error: wordsOf(error) }));
});

hook(Connection, "setLocalDescription", (self, args, go) => {
  safely(() => {
    if (ofTheCall === null || ofTheCall.signalingState === "closed") ofTheCall = self;
    used(self, "setLocalDescription");
  });
  return watched(go(), () => watchTransports(self),
    (error) => used(self, "setLocalDescription", { error: wordsOf(error) }));
});

// An answer's candidates are replaced by one of the harness's, unseen by the page, where packets take its detour.
function ledThroughUs(args) {
  const description = args[0];
  if (!CONFIG.detour || !description || description.type !== "answer") return args;
  const led = new Set(); // sections that have theirs
  let section = 0;
  const sdp = String(description.sdp).split("\n").flatMap((line) => {
    if (line.startsWith("m=")) section += 1;
    if (!line.startsWith("a=candidate:")) return [line];
    if (led.has(section)) return [];
    led.add(section);
    return [`a=candidate:1 1 udp 2130706431 127.0.0.1 ${CONFIG.detour} typ host\r`];
  }).join("\n");
  return [{ type: "answer", sdp }, ...args.slice(1)];
}

hook(Connection, "setRemoteDescription", (self, args, go) => {
  const sdp = safely(() => cut((args[0] && args[0].sdp) || "", LONGEST_SDP)) || "";
  safely(() => {
    if (!isOfTheCall(self) && !(ofTheCall && answeredOnes.has(ofTheCall))) {
      ofTheCall = self;
      if (self.iceGatheringState !== "new") state(self, "gathering", self.iceGatheringState);
    }
    answeredOnes.add(self);
    used(self, "setRemoteDescription", { detail: cut((args[0] && args[0].type) || "", 20) });
    if (isOfTheCall(self) && args[0] && args[0].type !== "offer") event("answer-received", { sdp });
  });
  return watched(go(safely(() => ledThroughUs(args)) || args), () => watchTransports(self), (error) => {
    if (isOfTheCall(self)) event("answer-rejected", { reason: wordsOf(error) });
  });
});

for (const name of ["localDescription", "currentLocalDescription", "pendingLocalDescription"])
  hookGetter(Connection, name, (self, given) => {
    if (given && given.sdp) used(self, "localDescription", { sdp: cut(given.sdp, LONGEST_SDP) });
  });

for (const name of ["addTrack", "addTransceiver", "addStream", "restartIce", "setConfiguration", "close"])
  hook(Connection, name, (self, args, go) => {
    safely(() => {
      const kind = args[0] && typeof args[0] === "object" ? args[0].kind : args[0];
      used(self, name, { detail: typeof kind === "string" ? cut(kind, 40) : "" });
      if (name === "close") goingDown(self);
    });
    return go();
  });

hook(Connection, "createDataChannel", (self, args, go) => {
  const channel = go();
  safely(() => {
    used(self, "createDataChannel", { detail: cut(args[0], 100) });
    watchChannel(self, channel);
  });
  return channel;
});

// close() fires no events at its own end: what it does is told as it would be seen.
function goingDown(connection) {
  if (connection.signalingState === "closed") return;
  const closed = [["ice", connection.iceConnectionState], ["dtls", connection.connectionState]];
  for (const [layer, name] of closed) if (name !== "closed") state(connection, layer, "closed");
}

// --- the channel ---

function watchChannel(connection, channel) {
  if (owners.has(channel)) return;
  owners.set(channel, connection);
  const told = (name) => () => state(connection, "channel", name);
  if (isOfTheCall(connection) || ofTheCall === null)
    event("state-changed", { layer: "channel", state: channel.readyState });
  listen(channel, "open", told("open"));
  listen(channel, "closing", told("closing"));
  listen(channel, "close", told("closed"));
  listen(channel, "message", ({ data }) => safely(() => {
    if (!isOfTheCall(connection)) return;
    const text = typeof data === "string" ? data : "";
    let parsed = null;
    try { parsed = native.parse(text); } catch { /* told as it is */ }
    const isObject = parsed !== null && typeof parsed === "object" && !Array.isArray(parsed);
    event("server-event", {
      event: isObject && text.length <= LONGEST_EVENT ? parsed : null,
      raw: isObject && text.length <= LONGEST_EVENT ? "" : cut(text, 4000),
      size: typeof data === "string" ? data.length : (data && (data.byteLength || data.size)) || 0,
    });
  }));
}

hook(globalThis.RTCDataChannel?.prototype, "send", (self, args, go) => {
  const connection = owners.get(self);
  try {
    const sent = go();
    safely(() => {
      if (!isOfTheCall(connection)) return;
      let parsed = null;
      try { parsed = native.parse(args[0]); } catch { /* not of the API */ }
      if (parsed && typeof parsed === "object" && !Array.isArray(parsed))
        event("client-event", { event: args[0].length <= LONGEST_EVENT ? parsed : { type: cut(parsed.type, 100) } });
      else used(connection, "send", { detail: cut(args[0], 200) });
    });
    return sent;
  } catch (error) {
    safely(() => used(connection, "send", { detail: self.readyState, error: wordsOf(error) }));
    throw error;
  }
});

hook(globalThis.RTCDataChannel?.prototype, "close", (self, args, go) => {
  safely(() => used(owners.get(self), "close channel"));
  return go();
});

// --- whether the page listens ---

const HEARD_OF = new Set(["message", "open", "track", "datachannel", "icegatheringstatechange", "icecandidate"]);

function listensTo(target, type) {
  if (!HEARD_OF.has(type)) return;
  if (target instanceof globalThis.RTCDataChannel)
    event("listener-added", { connection: numberOf(owners.get(target)), on: "channel", type });
  else if (target instanceof globalThis.RTCPeerConnection)
    event("listener-added", { connection: numberOf(target), on: "connection", type });
}

hook(EventTarget.prototype, "addEventListener", (self, args, go) => {
  safely(() => listensTo(self, args[0]));
  return go();
});
for (const owner of [globalThis.RTCDataChannel?.prototype, Connection])
  for (const type of HEARD_OF) hookSetter(owner, `on${type}`, (self, value) => value && listensTo(self, type));

// --- packets, once a second; more often until the first was sent, which is the zero of the server's clock ---

const counted = new WeakSet();

function countPackets(connection) {
  if (!isOfTheCall(connection) || counted.has(connection)) return;
  counted.add(connection);
  let sending = false;
  let pair = "";
  let previous = 0;
  const look = async () => {
    if (connection.signalingState === "closed") return;
    const stats = await apply(native.getStats, connection, []);
    const at = now();
    const all = [...stats.values()];
    const out = all.find((s) => s.type === "outbound-rtp" && s.kind === "audio") || {};
    const ins = all.filter((s) => s.type === "inbound-rtp" && s.kind === "audio");
    if (!sending && out.packetsSent > 0) {
      sending = true;
      const first = Math.max(previous, at - out.packetsSent * 20);
      event("sending-started", { ssrc: out.ssrc || 0 }, first);
    }
    previous = at;
    const transport = all.find((s) => s.type === "transport" && s.selectedCandidatePairId);
    const chosen = transport && stats.get(transport.selectedCandidatePairId);
    const [local, remote] = chosen ? [chosen.localCandidateId, chosen.remoteCandidateId].map((id) => stats.get(id)) : [];
    if (local && remote) {
      const told = [local, remote].map((c) => cut(`${c.candidateType} ${c.address}:${c.port}`, 100));
      if (told.join() !== pair) {
        pair = told.join();
        event("pair-selected", { local: told[0], remote: told[1] }, at);
      }
    }
    if (sending && at - lastStats >= 950) {
      lastStats = at;
      const sum = (name) => ins.reduce((total, s) => total + (Number(s[name]) || 0), 0);
      event("stats-taken", {
        sent: out.packetsSent || 0,
        received: sum("packetsReceived"),
        lost: Math.max(0, sum("packetsLost")),
        jitter_ms: Math.max(0, ...ins.map((s) => 1000 * (s.jitter || 0))),
        concealed_ms: ins.reduce((total, s) => total + Math.max(0, (s.concealedSamples || 0) - (s.silentConcealedSamples || 0)) / 48, 0),
      }, at);
    }
    native.setTimeout(() => look().catch(() => {}), sending && pair ? 1000 : 60);
  };
  let lastStats = 0;
  look().catch(() => {});
}
