// Storage of the stand-in: signed addresses for whole objects and parts. It takes no token, and nothing whose digest is another.
import { createHmac } from "node:crypto";
import type { Answer, Call, HubServer, Router } from "./server.js";
import { sha256 } from "./store.js";

const KEY = "stand-in";

/** The address carries its own right, as storage of the Hub does. */
export function signed(hub: HubServer, path: string): string {
  return `${hub.storageUrl}${path}?X-Amz-Signature=${signature(path)}`;
}

const signature = (path: string): string => createHmac("sha256", KEY).update(path).digest("hex");

export const routeStorage: Router = (hub, call) => {
  const [, kind = "", name = "", number = ""] = call.url.pathname.split("/");
  const guard = (work: () => Answer) => (): Answer => {
    if (call.url.searchParams.get("X-Amz-Signature") !== signature(call.url.pathname)) return { status: 403 };
    // Storage that signs its addresses refuses a second kind of proof; huggingface_hub, told apart by host, sends one when it reads.
    return call.headers.authorization === undefined || kind === "get"
      ? work()
      : { status: 400, body: "two kinds of authorization" };
  };
  if (kind === "put") return { step: "put", answer: guard(() => putWhole(hub, call, name)) };
  if (kind === "part") return { step: "part", answer: guard(() => putPart(hub, call, name, Number(number))) };
  if (kind === "complete") return { step: "complete", answer: guard(() => complete(hub, call, name)) };
  if (kind === "get") return { step: "resolve", answer: guard(() => get(hub, call, name)) };
  return { step: "other", answer: () => ({ status: 404 }) };
};

function putWhole(hub: HubServer, { headers, body }: Omit<Call, "step">, oid: string): Answer {
  if (headers["content-length"] === undefined) return { status: 411, body: "Content-Length is missing" };
  hub.arrived.push({ oid, bytes: body.length, again: hub.store.objects.has(oid) });
  if (sha256(body) !== oid) return { status: 400, body: "another digest" };
  hub.store.objects.set(oid, body);
  return { status: 200, headers: { ETag: `"${oid.slice(0, 32)}"` } };
}

function putPart(hub: HubServer, { body }: Omit<Call, "step">, id: string, number: number): Answer {
  const upload = hub.uploads.get(id);
  if (upload === undefined) return { status: 404, body: "no such upload" };
  hub.arrived.push({ oid: upload.oid, bytes: body.length, again: hub.store.objects.has(upload.oid) });
  upload.parts.set(number, body);
  return { status: 200, headers: { ETag: `"${sha256(body).slice(0, 32)}"` } };
}

function complete(hub: HubServer, { body }: Omit<Call, "step">, id: string): Answer {
  const upload = hub.uploads.get(id);
  if (upload === undefined) return { status: 404, body: { error: "no such upload" } };
  const { oid, parts } = JSON.parse(body.toString()) as { oid: string; parts: { partNumber: number; etag: string }[] };
  const bytes = parts.map(({ partNumber }) => upload.parts.get(partNumber) ?? Buffer.alloc(0));
  const etags = parts.every(({ etag }, at) => etag === `"${sha256(bytes[at] ?? "").slice(0, 32)}"`);
  const whole = Buffer.concat(bytes);
  if (oid !== upload.oid || !etags || sha256(whole) !== oid) return { status: 400, body: { error: "invalid parts" } };
  hub.store.objects.set(oid, whole);
  hub.uploads.delete(id);
  return { status: 200, body: {} };
}

function get(hub: HubServer, { headers }: Omit<Call, "step">, oid: string): Answer {
  const bytes = hub.store.objects.get(oid);
  return bytes === undefined
    ? { status: 404, body: "no such object" }
    : ranged(bytes, headers.range, { ETag: `"${oid}"` });
}

/** One range, clamped, as RFC 9110 §14 has it. */
export function ranged(bytes: Buffer, range: string | undefined, headers: Record<string, string> = {}): Answer {
  const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
  const shared = { "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream", ...headers };
  if (asked === null) return { status: 200, headers: shared, body: bytes };
  const start = Number(asked[1]);
  const end = Math.min(asked[2] === "" ? bytes.length - 1 : Number(asked[2]), bytes.length - 1);
  if (start > end) return { status: 416, headers: { "Content-Range": `bytes */${bytes.length}` } };
  const place = { "Content-Range": `bytes ${start}-${end}/${bytes.length}` };
  return { status: 206, headers: { ...shared, ...place }, body: bytes.subarray(start, end + 1) };
}
