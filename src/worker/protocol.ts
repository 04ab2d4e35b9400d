// Every message between TypeScript and the Python worker. One JSON object a line; python/rerank_tune_worker/protocol.py mirrors it.
import { z } from "zod";

/** Raised together in both languages when a message changes its meaning; a mismatch stops the run. */
export const PROTOCOL_VERSION = 1;

const envelope = {
  v: z.literal(PROTOCOL_VERSION),
  seq: z.int().min(0),
  time: z.number().describe("Seconds since 1970."),
  job: z.string(),
};

export const workerEventSchema = z.discriminatedUnion("type", [
  z.object({
    ...envelope,
    type: z.literal("hello"),
    worker_version: z.string(),
    python: z.string(),
    packages: z.record(z.string(), z.string()),
    device: z.string(),
  }),
  z.object({ ...envelope, type: z.literal("alive") }),
  z.object({ ...envelope, type: z.literal("phase"), name: z.string(), index: z.int(), count: z.int() }),
  z.object({ ...envelope, type: z.literal("progress"), completed: z.number(), total: z.number(), unit: z.string() }),
  z.object({
    ...envelope,
    type: z.literal("metric"),
    name: z.string(),
    value: z.number().nullable(),
    step: z.int(),
    split: z.string(),
  }),
  z.object({
    ...envelope,
    type: z.literal("log"),
    level: z.enum(["debug", "info", "warning"]),
    message: z.string(),
    logger: z.string(),
  }),
  z.object({
    ...envelope,
    type: z.literal("artifact"),
    role: z.string(),
    path: z.string(),
    bytes: z.int(),
    sha256: z.string(),
  }),
  z.object({
    ...envelope,
    type: z.literal("error"),
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    retryable: z.boolean(),
    traceback_file: z.string().nullable(),
  }),
  z.object({
    ...envelope,
    type: z.literal("done"),
    outputs: z.record(z.string(), z.unknown()),
    metrics: z.record(z.string(), z.number().nullable()),
    durations: z.record(z.string(), z.number()),
  }),
]);
export type WorkerEvent = z.infer<typeof workerEventSchema>;
export type DoneEvent = Extract<WorkerEvent, { type: "done" }>;

/** Jobs of the worker; `options` and `inputs` are checked by the job itself. Paths are absolute. */
export interface WorkerJob {
  v: typeof PROTOCOL_VERSION;
  /** Identifies the run in events. */
  id: string;
  kind: "train" | "export" | "quantize" | "describe" | "score";
  out_dir: string;
  inputs: Record<string, string>;
  options: Record<string, unknown>;
}

/** The one control message on the worker's stdin; the end of stdin means the same. */
export const CANCEL_LINE = `${JSON.stringify({ type: "cancel" })}\n`;
