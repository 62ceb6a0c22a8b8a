import { NextResponse } from "next/server";

import { SESSION } from "../../../../lib/session";

export const dynamic = "force-dynamic"; // an answer belongs to one offer, and is never cached

const UPSTREAM = process.env.OPENAI_BASE_URL ?? "https://api.openai.com/v1";
const ANSWERS_WITHIN = 8000; // ms
const LONGEST_OFFER = 65_536; // characters

/** The browser's SDP offer in, OpenAI's SDP answer out; the key stays here. */
export async function POST(request: Request) {
  const offer = await request.text();
  if (!offer.startsWith("v=0") || offer.length > LONGEST_OFFER) return problem(400, "the body is no SDP offer");

  const form = new FormData();
  form.set("sdp", offer);
  form.set("session", JSON.stringify(SESSION));
  let response: Response;
  let answer: string;
  try {
    response = await fetch(`${UPSTREAM}/realtime/calls`, {
      method: "POST",
      headers: authorization(),
      body: form,
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWERS_WITHIN),
    });
    answer = await response.text();
  } catch (error) {
    const late = error instanceof Error && error.name === "TimeoutError";
    return late ? problem(504, "OpenAI did not answer in time") : problem(502, "OpenAI cannot be reached");
  }
  if (!response.ok) {
    console.error(`OpenAI answered ${response.status}: ${answer.slice(0, 500)}`);
    return problem(response.status === 429 ? 429 : 502, "OpenAI refused the call");
  }
  const call = response.headers.get("location")?.split("/").pop();
  if (request.signal.aborted && call) {
    await hangUp(call); // nobody waits for the answer any more, and the call would be billed
    return problem(499, "the caller has gone");
  }
  return new NextResponse(answer, { status: 201, headers: { "Content-Type": "application/sdp" } });
}

async function hangUp(call: string) {
  try {
    await fetch(`${UPSTREAM}/realtime/calls/${call}/hangup`, {
      method: "POST",
      headers: authorization(),
      signal: AbortSignal.timeout(ANSWERS_WITHIN),
    });
  } catch (error) {
    console.error(`the call ${call} could not be hung up`, error);
  }
}

const authorization = () => ({ Authorization: `Bearer ${process.env.OPENAI_API_KEY}` });

const problem = (status: number, message: string) => NextResponse.json({ error: message }, { status });
