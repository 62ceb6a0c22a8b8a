/** What every caller gets. It is fixed here, on the server: a page that sent it could change it. */
export const SESSION = {
  type: "realtime",
  model: "gpt-realtime-2.1",
  instructions: "Eres Cleo, la voz amable de una tienda. Responde en una o dos frases, en el idioma de quien llama.",
  audio: {
    input: {
      turn_detection: { type: "server_vad", silence_duration_ms: 500 },
      transcription: { model: "gpt-transcribe" },
    },
    output: { voice: "marin" },
  },
};
