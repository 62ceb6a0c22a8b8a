// What the programs in a browser's page have in common: a microphone that plays recorded speech, and an ear.

import { Report } from "./reporting.mjs";

const LOUD = 0.01; // root mean square of samples from -1 to 1; speech has about 0.1
const LOOK_MS = 50;

const context = new AudioContext({ sampleRate: 48000 });
const microphone = context.createMediaStreamDestination();

// A room is never quite silent, and a destination without a source sends nothing at all.
const room = new AudioBufferSourceNode(context, { buffer: context.createBuffer(1, 48000, 48000), loop: true });
room.buffer.getChannelData(0).forEach((_, at, samples) => {
  samples[at] = (at % 7) * 1e-5;
});
room.connect(microphone);
room.start();

/** The microphone as getUserMedia would give it. */
export const stream = microphone.stream;

/** Play a recording into the microphone; returns at its end. */
export async function say(name) {
  const file = await fetch(`/speech/${name}.wav`);
  const source = new AudioBufferSourceNode(context, {
    buffer: await context.decodeAudioData(await file.arrayBuffer()),
  });
  source.connect(microphone);
  const ended = new Promise((resolve) => source.addEventListener("ended", resolve));
  source.start();
  await ended;
}

/** Push a `client:audio` to `received` at each look at which the stream of an audio element is loud. */
export function listen(element, received) {
  let analyser;
  const samples = new Float32Array(2048);
  setInterval(() => {
    if (!element.srcObject) return;
    if (!analyser) {
      analyser = new AnalyserNode(context);
      context.createMediaStreamSource(element.srcObject).connect(analyser);
    }
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    if (Math.sqrt(power) > LOUD) received.push({ type: "client:audio" });
  }, LOOK_MS);
}

/** Run a conversation; `window.report` is the harness's. */
export async function run(name, converse) {
  const report = new Report(window.report);
  const described = await fetch(`/node_modules/${name}/package.json`);
  report.version((await described.json()).version);
  try {
    await converse(report);
  } catch (error) {
    if (!report.failed) report.problem(error);
  }
}
