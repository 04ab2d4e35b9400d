// Twelve ways in which a call can go wrong. Some do what was asked and lose only the reply, which is the hardest to tell.
import type { ServerResponse } from "node:http";
import { type Answer, send } from "./server.js";

export const FAULTS = [
  "500",
  "503",
  "429",
  "reset",
  "hang",
  "truncated",
  "lost",
  "401",
  "403",
  "409",
  "412",
  "413",
] as const;
export type Fault = (typeof FAULTS)[number];

/** Whether what was asked is done all the same. */
export const isDone = (fault: Fault): boolean => fault === "truncated" || fault === "lost";

export function faulty(fault: Fault, answer: () => Answer, reply: ServerResponse): void {
  if (fault === "hang") return;
  if (fault === "reset") return void reply.socket?.resetAndDestroy();
  if (fault === "lost") {
    answer();
    return void reply.socket?.destroy();
  }
  if (fault === "truncated") {
    half(answer(), reply);
    return;
  }
  const headers: Record<string, string> = fault === "429" ? { "Retry-After": "0", RateLimit: '"api";r=0;t=1' } : {};
  send(reply, { status: Number(fault), headers, body: { error: `made up fault ${fault}` } });
}

/** A whole HTTP reply with half a JSON document; where there is no JSON, fewer bytes than were promised. */
function half({ status, headers = {}, body = "" }: Answer, reply: ServerResponse): void {
  if (typeof body === "object" && !Buffer.isBuffer(body)) {
    const text = JSON.stringify(body);
    reply.writeHead(status, { ...headers, "Content-Type": "application/json" });
    return void reply.end(text.slice(0, Math.floor(text.length / 2)));
  }
  reply.writeHead(status, { ...headers, "Content-Length": Buffer.from(body as string).length + 10 });
  reply.write("cut");
  setTimeout(() => reply.socket?.destroy(), 5);
}
