// The child process that owns ONNX Runtime: a native abort, its memory and its blocking calls stay out of the parent. Speaks messages.ts over IPC.
import { createRequire } from "node:module";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { embeddingOutput, unitVectors } from "./embedder-pooling.js";
import type { EmbedRequest, OpenRequest, Reply, Request, RunRequest } from "./messages.js";

type Runtime = typeof import("onnxruntime-node");

interface Opened {
  runtime: Runtime;
  session: InferenceSession;
}

let opened: Promise<Opened> | undefined;
let queue: Promise<unknown> = Promise.resolve();

// The terminal sends Ctrl-C to the whole group; the parent decides when this process ends, by closing the channel or killing it.
process.on("SIGINT", () => undefined);

process.on("message", (request: Request) => {
  // One after another: the native call blocks anyway, and replies stay in order.
  queue = queue.then(() => answer(request)).then(reply);
});

/** Sent only while the parent listens; without it this process has nothing left to do and ends by itself. */
function reply(message: Reply): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

async function answer(request: Request): Promise<Reply> {
  try {
    if (request.type === "open") return await open(request);
    if (request.type === "profile") return await endProfile(request.id);
    return request.type === "run" ? await run(request) : await embed(request);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return request.type === "open" ? { type: "failed", message } : { type: "failed", id: request.id, message };
  }
}

async function open(request: OpenRequest): Promise<Reply> {
  const started = performance.now();
  opened = load(request);
  const { session } = await opened;
  return { type: "opened", inputs: session.inputNames, loadMs: performance.now() - started, memoryBytes: peakMemory() };
}

async function load(request: OpenRequest): Promise<Opened> {
  const runtime = createRequire(request.runtimeEntry)(request.runtimeEntry) as Runtime;
  const session = await runtime.InferenceSession.create(request.modelFile, {
    executionProviders: [request.provider],
    graphOptimizationLevel: "all",
    ...(request.threads > 0 ? { intraOpNumThreads: request.threads } : {}),
    ...(request.profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: request.profilePrefix }),
  });
  return { runtime, session };
}

async function endProfile(id: number): Promise<Reply> {
  (await opened)?.session.endProfiling();
  return { type: "profiled", id };
}

async function run(request: RunRequest): Promise<Reply> {
  if (opened === undefined) throw new Error("a batch came before a model was opened");
  const { runtime, session } = await opened;
  const feeds = buildFeeds(runtime, session, request);
  const started = performance.now();
  const outputs = await session.run(feeds, ["logits"]);
  const runMs = performance.now() - started;
  const scores = Float32Array.from(outputs.logits?.data as Float32Array);
  if (scores.length !== request.lengths.length)
    throw new Error(`${scores.length} logits came for ${request.lengths.length} pairs`);
  return { type: "scored", id: request.id, scores, runMs, memoryBytes: peakMemory() };
}

async function embed(request: EmbedRequest): Promise<Reply> {
  if (opened === undefined) throw new Error("a batch came before a model was opened");
  const { runtime, session } = await opened;
  const feeds = buildFeeds(runtime, session, request);
  const name = embeddingOutput(session.outputNames);
  const started = performance.now();
  const output = (await session.run(feeds, [name]))[name];
  const runMs = performance.now() - started;
  if (output?.type !== "float32") throw new Error(`the output ${name} is ${output?.type ?? "missing"}, not float32`);
  const { vectors, dimensions } = unitVectors(output.data as Float32Array, output.dims, request);
  return { type: "embedded", id: request.id, vectors, dimensions, runMs, memoryBytes: peakMemory() };
}

/** The part of a request that feeds are made of. */
type Rows = Pick<RunRequest, "ids" | "typeIds" | "lengths" | "width" | "padId">;

function buildFeeds(runtime: Runtime, session: InferenceSession, request: Rows): Record<string, Tensor> {
  const shape = [request.lengths.length, request.width];
  const feeds: Record<string, Tensor> = {
    input_ids: new runtime.Tensor("int64", pad(request, request.ids, request.padId), shape),
    attention_mask: new runtime.Tensor("int64", pad(request, undefined, 0), shape),
  };
  // Only where the graph has it: an unknown input is ignored in silence, a missing one throws.
  if (session.inputNames.includes("token_type_ids"))
    feeds.token_type_ids = new runtime.Tensor("int64", pad(request, request.typeIds, 0), shape);
  return feeds;
}

/**
 * Rows laid out to one width. Values are written through a 32-bit view of the 64-bit numbers (every platform of ONNX Runtime
 * is little-endian); a BigInt for each token would cost more than a small model.
 * @param values flat row values; undefined writes ones (the attention mask).
 */
function pad(request: Rows, values: Int32Array | Uint8Array | undefined, filler: number): BigInt64Array {
  const { lengths, width } = request;
  const padded = new BigInt64Array(lengths.length * width);
  if (filler !== 0) padded.fill(BigInt(filler));
  const words = new Int32Array(padded.buffer);
  let source = 0;
  for (let row = 0; row < lengths.length; row++) {
    const length = lengths[row] as number;
    const start = row * width * 2;
    for (let column = 0; column < length; column++)
      words[start + column * 2] = values === undefined ? 1 : (values[source + column] as number);
    source += length;
  }
  return padded;
}

/** Highest resident memory in bytes; `maxRSS` is in kilobytes on every platform. */
function peakMemory(): number {
  return Math.max(process.resourceUsage().maxRSS * 1024, process.memoryUsage.rss());
}
