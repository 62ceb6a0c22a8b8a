import { randomUUID } from "node:crypto";

import { NextResponse } from "next/server";

/** Where your database goes. */
export async function POST() {
  return NextResponse.json({ id: randomUUID().slice(0, 8) }, { status: 201 });
}
