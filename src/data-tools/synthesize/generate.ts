// Asks a chat model for queries, passage by passage, and keeps every reply at once: replies cost time and sometimes money.
import { createReadStream } from "node:fs";
import { linesOf } from "../../dataset/lines.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import { endpointFailure, unexpectedReply } from "../endpoint/failures.js";
import { inOrder } from "../endpoint/in-order.js";
import type { Corpus } from "../mine/corpus.js";
import { PartFile } from "../score/part-file.js";
import type { SynthesizeContext, SynthesizeOptions, WriterOptions } from "./options.js";
import type { Prompt } from "./prompt.js";
import { chatReply, type ParsedReply, queriesOf } from "./replies.js";

/** What one passage got; a line of the part file. */
export interface Written extends ParsedReply {
  /** Number of the passage in the corpus. */
  passage: number;
}

/** A model that never says anything usable is not asked a thousand times. */
const UNUSABLE_IN_A_ROW = 20;
/** Servers read the seed into 32 bits, some of them signed. */
const SEEDS = 2 ** 31;

export interface GenerateJob {
  file: string;
  indices: readonly number[];
  corpus: Corpus;
  prompt: Prompt;
  endpoint: Endpoint;
  options: Pick<SynthesizeOptions, "writer" | "perPassage" | "seed">;
  context: SynthesizeContext;
}

/** Writes what is missing. @returns the number of passages an earlier run had done. */
export async function generate(job: GenerateJob): Promise<number> {
  const { file, indices, corpus, prompt, endpoint, options, context } = job;
  const part = await PartFile.open(file);
  context.emit({ type: "phase", name: `write queries with ${options.writer.model}` });
  let [done, unusable] = [part.found, 0];
  const write = async (passage: number, signal: AbortSignal): Promise<Written> => {
    const { text } = await corpus.read(passage);
    const seed = (options.seed + passage) % SEEDS;
    const reply = await endpoint.post(chatRequest(options.writer, prompt.about(text), seed), signal);
    const parsed = chatReply.safeParse(reply);
    if (!parsed.success) throw unexpectedReply(endpoint.shown, "`choices` with a message (/v1/chat/completions)");
    return { passage, ...queriesOf(parsed.data, text, options.perPassage) };
  };
  try {
    const missing = indices.slice(part.found);
    for await (const written of inOrder(missing, options.writer.concurrency, context.signal, write)) {
      await part.add(JSON.stringify(written));
      unusable = written.queries.length + written.copied === 0 ? unusable + 1 : 0;
      if (unusable === UNUSABLE_IN_A_ROW) throw uselessModel(options.writer);
      done += 1;
      context.emit({ type: "progress", completed: done, total: indices.length, unit: "passages" });
    }
  } finally {
    await part.flush();
  }
  return part.found;
}

/** Passages with their queries, in the order drawn. */
export async function* readWritten(file: string): AsyncGenerator<Written> {
  for await (const line of linesOf(createReadStream(file))) yield JSON.parse(line) as Written;
}

/** The chat interface as every server has it; temperature and seed are always said, because their defaults differ. */
function chatRequest({ model, temperature, maxTokens }: WriterOptions, content: string, seed: number): object {
  const messages = [{ role: "user", content }];
  return { model, messages, temperature, seed, max_tokens: maxTokens, stream: false };
}

function uselessModel({ model, maxTokens }: WriterOptions): Error {
  return endpointFailure(
    `${UNUSABLE_IN_A_ROW} replies of ${model} in a row held no usable query.`,
    `a model that thinks aloud may need more than ${maxTokens} tokens (--max-tokens); else try another model or --prompt`,
  );
}
