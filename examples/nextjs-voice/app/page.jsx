import VoiceMode from "./voice/voice-mode.jsx";

export default function Page() {
  return <VoiceMode />;
}
