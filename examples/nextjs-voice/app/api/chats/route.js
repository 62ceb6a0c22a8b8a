import { randomUUID } from "node:crypto";

/** A new chat; this example keeps none. */
export function POST() {
  return Response.json({ id: randomUUID() }, { status: 201 });
}
