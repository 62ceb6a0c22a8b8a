"use client";
// The button, the chat that is made if there is none, the modal, the call.

import { useEffect, useRef, useState } from "react";
import { startCall } from "./call.js";
import { PROBLEMS, STATES } from "./words.js";

const ICE_SERVERS = JSON.parse(process.env.NEXT_PUBLIC_ICE_SERVERS ?? '[{"urls": "stun:127.0.0.1:9"}]');

export default function VoiceMode() {
  const [chat, setChat] = useState("");
  const [open, setOpen] = useState(false);
  const [state, setState] = useState("");
  const [problem, setProblem] = useState("");
  const [seconds, setSeconds] = useState(0);
  const [muted, setMuted] = useState(false);
  const call = useRef(null);

  useEffect(() => {
    if (state !== "listening") return undefined;
    const since = Date.now();
    const timer = setInterval(() => setSeconds(Math.round((Date.now() - since) / 1000)), 1000);
    return () => clearInterval(timer);
  }, [state]);
  useEffect(() => () => call.current?.end(), []);

  async function talk() {
    if (!chat) {
      const made = await fetch("/api/chats", { method: "POST" });
      setChat((await made.json()).id);
    }
    setOpen(true);
  }

  function start() {
    if (call.current) return;
    setProblem("");
    setSeconds(0);
    call.current = startCall({
      relay: "/api/voice/webrtc/session",
      iceServers: ICE_SERVERS,
      chat,
      show(next, why = "") {
        setState(next);
        setProblem(PROBLEMS[why] ?? "");
        if (next === "ended") call.current = null;
      },
    });
  }

  const under = state && state !== "ended";
  return (
    <main>
      <h1>Cleo</h1>
      <button onClick={talk}>Talk to Cleo</button>
      {open && (
        <dialog open aria-label="Voz">
          <p role="status">{STATES[state] ?? ""}</p>
          <p role="alert">{problem}</p>
          {state === "listening" && <p>{seconds} s</p>}
          {!under && <button onClick={start}>Iniciar llamada</button>}
          {under && <button onClick={() => call.current?.end()}>Colgar</button>}
          {state === "listening" && (
            <button
              onClick={() => {
                call.current?.mute(!muted);
                setMuted(!muted);
              }}
            >
              {muted ? "Activar el micrófono" : "Silenciar"}
            </button>
          )}
        </dialog>
      )}
    </main>
  );
}
