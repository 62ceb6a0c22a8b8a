"use client";

import { useCallback, useEffect, useRef, useState } from "react";

const RELAY = "/api/voice/webrtc/session";
const OPENS_WITHIN = 5000; // ms from the answer to the open channel
const ANSWERS_WITHIN = 12_000; // ms
const SURVIVES = 10_000; // ms of `disconnected`: a network that comes back sooner is no lost call
const RETRIES = 5; // for a call that was lost with its network, each pause twice the one before

type State = "idle" | "connecting" | "listening" | "weak" | "ended";

/** All that one call holds, so that all of it can be given back. */
type Call = {
  connection: RTCPeerConnection;
  channel: RTCDataChannel;
  audio: HTMLAudioElement;
  stream: MediaStream | null;
  timers: Set<number>;
};

/** One voice call at a time, through the relay of this app. */
export function useVoiceWebRTC(iceServers: RTCIceServer[]) {
  const [state, setState] = useState<State>("idle");
  const [seconds, setSeconds] = useState(0);
  const [muted, setMuted] = useState(false);
  const [problem, setProblem] = useState("");
  const call = useRef<Call | null>(null);
  const retries = useRef(0); // of a call that is being made anew
  const retrying = useRef(0);

  /** Channel, connection, tracks, element: in this order, or the far end learns of nothing. */
  const release = useCallback(() => {
    const mine = call.current;
    call.current = null;
    window.clearTimeout(retrying.current);
    if (!mine) return;
    mine.timers.forEach((timer) => window.clearTimeout(timer));
    mine.channel.close();
    mine.connection.close();
    mine.stream?.getTracks().forEach((track) => track.stop());
    mine.audio.srcObject = null;
  }, []);

  const fail = useCallback((said: string) => {
    release();
    retries.current = 0;
    setState("ended");
    setProblem(said);
  }, [release]);

  const stop = useCallback(() => {
    if (!call.current && !retries.current) return;
    release();
    retries.current = 0;
    setState("ended");
    setProblem("");
  }, [release]);

  const begin = useCallback(async () => {
    const connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    const channel = connection.createDataChannel("oai-events");
    const audio = new Audio();
    audio.autoplay = true;
    const mine: Call = { connection, channel, audio, stream: null, timers: new Set() };
    call.current = mine;
    const isMine = () => call.current === mine;
    const after = (ms: number, act: () => void) => {
      const timer = window.setTimeout(() => isMine() && act(), ms);
      mine.timers.add(timer);
      return timer;
    };
    // The far end takes no second offer for a call: one that is lost is made anew.
    const lose = () => {
      release();
      if (retries.current >= RETRIES) return fail("Se perdió la conexión. Vuelve a llamar.");
      setState("connecting");
      setProblem("Se perdió la conexión. Llamando otra vez…");
      retrying.current = window.setTimeout(begin, 500 * 2 ** retries.current);
      retries.current += 1;
    };
    setState("connecting");
    setSeconds(0);
    setMuted(false);

    // Listeners first: session.created comes with the opening of the channel.
    connection.ontrack = ({ streams, track }) => { audio.srcObject = streams[0] ?? new MediaStream([track]); };
    channel.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === "error") console.warn(event.error.message);
    };
    channel.onopen = () => {
      if (!isMine()) return;
      const since = Date.now();
      const tick = () => { setSeconds(Math.round((Date.now() - since) / 1000)); after(1000, tick); };
      after(1000, tick);
      setState("listening");
    };
    let lost = 0;
    connection.oniceconnectionstatechange = () => {
      if (!isMine()) return;
      window.clearTimeout(lost);
      switch (connection.iceConnectionState) {
        case "connected":
          retries.current = 0;
          setProblem("");
          if (channel.readyState === "open") setState("listening");
          break;
        case "disconnected":
          setState("weak");
          lost = after(SURVIVES, lose);
          break;
        case "failed":
          lose();
      }
    };

    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      if (!isMine()) return stream.getTracks().forEach((track) => track.stop()); // it came too late
      mine.stream = stream;
      connection.addTrack(stream.getAudioTracks()[0], stream);
      const offer = await connection.createOffer();
      await connection.setLocalDescription(offer);
      const response = await fetch(RELAY, {
        method: "POST",
        headers: { "Content-Type": "application/sdp" },
        body: offer.sdp,
        signal: AbortSignal.timeout(ANSWERS_WITHIN),
      });
      if (!response.ok) throw new Error(`the relay answered ${response.status}`);
      const answer = await response.text();
      if (!isMine()) return;
      await connection.setRemoteDescription({ type: "answer", sdp: answer });
      after(OPENS_WITHIN, () => channel.readyState === "open" || fail("La llamada no se pudo establecer."));
    } catch (error) {
      if (!isMine()) return;
      const isMicrophones = error instanceof Error && error.name.startsWith("Not");
      if (retries.current && !isMicrophones) lose();
      else fail(said(error));
    }
  }, [fail, release, iceServers]);

  const start = useCallback(() => {
    if (call.current || retries.current) return; // a second click
    setProblem("");
    void begin();
  }, [begin]);

  const mute = useCallback(() => {
    const [track] = call.current?.stream?.getAudioTracks() ?? [];
    if (!track) return;
    track.enabled = !track.enabled;
    setMuted(!track.enabled);
  }, []);

  // Whoever leaves the page, or the modal, ends the call.
  useEffect(() => {
    window.addEventListener("pagehide", release);
    return () => {
      window.removeEventListener("pagehide", release);
      release();
    };
  }, [release]);

  return { state, seconds, muted, problem, start, stop, mute };
}

function said(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return "Falta el permiso para usar el micrófono.";
  if (name === "NotFoundError") return "No se encontró ningún micrófono.";
  return "No se pudo llamar. Inténtalo otra vez.";
}
