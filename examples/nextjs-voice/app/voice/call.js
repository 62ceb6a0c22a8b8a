// One voice call of a page, in the order of operations that voice pages are taught. It knows nothing of React, so that
// whoever shows it can be anything.

const OPENS_WITHIN = 5000; // ms: until then ICE may be connected, and the channel still closed
const LOST_FOR = 10_000; // ms of `disconnected`; most networks are back before

/** `show(state, problem)`: "asking", "connecting", "listening" or "ended", and what to tell the user. */
export function startCall({ relay, iceServers, chat, show }) {
  const call = { over: false, timers: [] };

  function end(problem = "") {
    if (call.over) return;
    call.over = true;
    for (const timer of call.timers) clearTimeout(timer);
    call.channel?.close();
    call.connection?.close();
    call.stream?.getTracks().forEach((track) => track.stop());
    if (call.audio) call.audio.srcObject = null;
    removeEventListener("pagehide", leave);
    show("ended", problem);
  }
  const leave = () => end();
  addEventListener("pagehide", leave);

  async function connect() {
    const connection = (call.connection = new RTCPeerConnection({
      iceServers,
      iceTransportPolicy: "all",
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
    }));
    connection.ontrack = ({ streams: [stream] }) => {
      call.audio = new Audio();
      call.audio.autoplay = true;
      call.audio.srcObject = stream;
    };
    connection.oniceconnectionstatechange = () => {
      clearTimeout(call.lost);
      if (connection.iceConnectionState === "failed") end("lost");
      if (connection.iceConnectionState === "disconnected") {
        call.lost = setTimeout(() => end("lost"), LOST_FOR);
        call.timers.push(call.lost);
      }
    };

    show("asking");
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    if (call.over) return stream.getTracks().forEach((track) => track.stop());
    call.stream = stream;
    connection.addTrack(stream.getAudioTracks()[0], stream);
    show("connecting");

    const channel = (call.channel = connection.createDataChannel("oai-events", { ordered: true }));
    channel.onopen = () => {
      channel.send(JSON.stringify({ type: "session.update", session: SESSION }));
      show("listening");
    };
    channel.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === "error") console.warn(event.error.message);
    };

    const offer = await connection.createOffer();
    await connection.setLocalDescription(offer);
    const response = await fetch(relay, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sdp: offer.sdp, chat }),
    });
    if (!response.ok) throw new Error(`the relay answered ${response.status}`);
    const sdp = await response.text();
    if (call.over) return undefined;
    await connection.setRemoteDescription({ type: "answer", sdp });
    call.timers.push(setTimeout(() => channel.readyState !== "open" && end("late"), OPENS_WITHIN));
    return undefined;
  }

  const why = { NotAllowedError: "denied", NotFoundError: "missing" };
  connect().catch((error) => end(why[error.name] ?? "failed"));
  return {
    end: leave,
    mute(muted) {
      for (const track of call.stream?.getAudioTracks() ?? []) track.enabled = !muted;
    },
  };
}

const SESSION = {
  type: "realtime",
  audio: { input: { turn_detection: { type: "server_vad", silence_duration_ms: 500 } } },
};
