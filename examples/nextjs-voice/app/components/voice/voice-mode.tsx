"use client";

import { useVoiceWebRTC } from "./use-voice-webrtc";

const SAID = {
  idle: "Lista para hablar",
  connecting: "Conectando…",
  listening: "Escuchando",
  weak: "La conexión es débil…",
  ended: "Llamada terminada",
};

type Props = { iceServers: RTCIceServer[]; onClose: () => void };

/** The modal in which a call is started, followed and ended. */
export function VoiceMode({ iceServers, onClose }: Props) {
  const { state, seconds, muted, problem, start, stop, mute } = useVoiceWebRTC(iceServers);
  const isOn = state === "connecting" || state === "listening" || state === "weak";

  return (
    <div role="dialog" aria-label="Cleo" style={{ border: "1px solid", borderRadius: 12, padding: "1.5rem", maxWidth: 360 }}>
      <h2>Cleo</h2>
      <p role="status">{SAID[state]}</p>
      {problem && <p role="alert">{problem}</p>}
      {/* Disabled rather than replaced: the second click of a double click would hit what took its place. */}
      <button onClick={start} disabled={isOn}>
        Iniciar llamada
      </button>
      {isOn && <button onClick={stop}>Colgar</button>}
      {(state === "listening" || state === "weak") && (
        <>
          <button onClick={mute}>{muted ? "Activar micrófono" : "Silenciar"}</button>
          <p>{seconds} s</p>
        </>
      )}
      <button onClick={() => { stop(); onClose(); }}>Cerrar</button>
    </div>
  );
}
