// What the programs in Node have in common: where the fake is, recorded speech, and a program's end.

import { readFileSync } from "node:fs";

import { Report } from "./reporting.mjs";

/** `{url, tls, key, speech, call}`: base URLs without and with TLS, an API key, the folder of the speech, a live call. */
export const setting = JSON.parse(process.argv[2]);

/** 16-bit PCM at 24 kHz; `yes`, `wait`, or `silence`. */
export function speech(name) {
  return readFileSync(`${setting.speech}/${name}.pcm`);
}

export function versionOf(name) {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/** Run a conversation and exit: 0, or 1 where it did not come to its end. */
export async function run(name, converse) {
  const report = new Report((line) => process.stdout.write(`${JSON.stringify(line)}\n`));
  // Nobody reads any more: telling of that would fail in the same way, for ever.
  process.stdout.on("error", () => process.exit(1));
  process.on("uncaughtException", (error) => report.problem(error));
  process.on("unhandledRejection", (error) => report.problem(error));
  report.version(versionOf(name));
  try {
    await converse(report);
  } catch (error) {
    if (!report.failed) report.problem(error);
    process.exitCode = 1;
  }
  setTimeout(() => {
    report.problem("the program had come to its end, and the client kept it alive");
    process.exit(1);
  }, 3000).unref();
}
