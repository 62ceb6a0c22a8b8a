"use client";

import { useState } from "react";

import { VoiceMode } from "./voice/voice-mode";

/** A chat is made when the first one is needed: nobody should have to make one in order to speak. */
export function Home({ iceServers }: { iceServers: RTCIceServer[] }) {
  const [chat, setChat] = useState<string | null>(null);
  const [talking, setTalking] = useState(false);
  const [problem, setProblem] = useState("");

  async function talk() {
    setProblem("");
    try {
      if (chat === null) setChat(await newChat());
      setTalking(true);
    } catch {
      setProblem("No se pudo crear el chat. Inténtalo otra vez.");
    }
  }

  return (
    <main>
      <h1>Cleo</h1>
      <p>{chat === null ? "Todavía no hay ningún chat." : `Chat ${chat}`}</p>
      <button onClick={talk} disabled={talking}>
        Talk to Cleo
      </button>
      <p role="alert">{problem}</p>
      {talking && chat !== null && <VoiceMode iceServers={iceServers} onClose={() => setTalking(false)} />}
    </main>
  );
}

async function newChat(): Promise<string> {
  const response = await fetch("/api/chats", { method: "POST" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()).id;
}
