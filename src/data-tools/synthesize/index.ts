// `data synthesize`: queries for passages that nobody labelled, written by a language model the person runs. Reads top to bottom.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, hashFile, hashText } from "../../artifacts/hash.js";
import { Findings } from "../../dataset/findings.js";
import { Endpoint } from "../endpoint/endpoint.js";
import { Corpus, corpusFile } from "../mine/corpus.js";
import { Pace } from "../mine/pace.js";
import { LineFile } from "../reading/line-file.js";
import { openData } from "../reading/open-data.js";
import { openTeacher } from "../score/open-teacher.js";
import type { Teacher } from "../score/teacher.js";
import { inWorkFolder } from "../score/work.js";
import { generate } from "./generate.js";
import type { SynthesizeContext, SynthesizeOptions, SynthesizeReport } from "./options.js";
import { checkCorpus, drawPassages } from "./passages.js";
import { loadPrompt, type Prompt } from "./prompt.js";
import { syntheticRow } from "./rows.js";
import { type KeptQuery, selectQueries } from "./select.js";

const PART = "written.jsonl";

interface Job {
  options: SynthesizeOptions;
  context: SynthesizeContext;
  prompt: Prompt;
  endpoint: Endpoint;
  /** Queries that no new one may repeat. */
  known: string[];
  judge: Teacher | undefined;
}

/**
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID, USAGE, MODEL_*, SCORER_FAILED, WORKER_*, ENDPOINT_FAILED, FOLDER_IN_USE,
 * INTERRUPTED, TERMINATED.
 */
export async function synthesize(options: SynthesizeOptions, context: SynthesizeContext): Promise<SynthesizeReport> {
  const { corpus, writer, perPassage, avoid, judge: judgeOptions } = options;
  // Whether anything may be sent there comes before all work.
  const endpoint = await Endpoint.open(writer.endpoint, context);
  checkCorpus(corpus);
  const prompt = await loadPrompt(writer.promptFile, perPassage, writer.language);
  const known = avoid === undefined ? [] : await queriesOf(avoid);
  const judge = judgeOptions === undefined ? undefined : await openTeacher(judgeOptions, context);
  try {
    return await run({ options, context, prompt, endpoint, known, judge });
  } finally {
    await judge?.close();
  }
}

async function run(job: Job): Promise<SynthesizeReport> {
  const { options, context } = job;
  const { out, resume } = options;
  context.emit({ type: "phase", name: "check the inputs" });
  const file = await corpusFile(options.corpus);
  const identity = await identityOf(job, file);
  return await inWorkFolder({ out, identity, resume, part: PART, signal: context.signal }, async (folder) => {
    const corpus = await Corpus.open(file, folder, new Pace(context));
    try {
      return await make(job, corpus, folder);
    } finally {
      await corpus.close();
    }
  });
}

async function make(
  { options, context, prompt, endpoint, known, judge }: Job,
  corpus: Corpus,
  folder: string,
): Promise<{ file: string; result: SynthesizeReport }> {
  const file = join(folder, PART);
  const drawn = await drawPassages(corpus, options.count, options.seed);
  const resumed = await generate({ file, indices: drawn.indices, corpus, prompt, endpoint, options, context });
  const judging =
    judge === undefined || options.judge === undefined ? {} : { judge: { teacher: judge, options: options.judge } };
  const { kept, counts } = await selectQueries({ file, folder, corpus, known, context, ...judging });
  const result: SynthesizeReport = {
    out: options.out,
    model: options.writer.model,
    prompt_sha256: prompt.digest,
    corpus_passages: corpus.size,
    asked: drawn.indices.length,
    too_short: drawn.tooShort,
    resumed,
    ...counts,
  };
  return { file: await writeRows(join(folder, "output.jsonl"), kept, corpus, options, prompt), result };
}

/** @returns the path. */
async function writeRows(
  path: string,
  kept: readonly KeptQuery[],
  corpus: Corpus,
  { writer, seed }: SynthesizeOptions,
  prompt: Prompt,
): Promise<string> {
  const provenance = { model: writer.model, prompt_sha256: prompt.digest, seed, temperature: writer.temperature };
  const lang = writer.language === "auto" ? undefined : writer.language;
  const output = new LineFile(path);
  for (const { query, verdict } of kept)
    output.add(syntheticRow(query, await corpus.read(query.passage), provenance, lang, verdict));
  output.finish();
  return path;
}

/** Only what decides the replies: what is left out of them afterwards may change between runs. */
async function identityOf({ options, prompt }: Job, corpus: string): Promise<Record<string, string>> {
  const { writer, perPassage, count, seed } = options;
  const { model, temperature, maxTokens, language, endpoint } = writer;
  return {
    options: canonicalJson({ perPassage, count, seed, model, temperature, maxTokens, language }),
    endpoint: hashText(endpoint.address.url.href),
    prompt: prompt.digest,
    corpus: await hashFile(corpus),
  };
}

/** All queries, whatever their side: one that repeats a training query is of no use either. */
async function queriesOf(source: string): Promise<string[]> {
  const findings = new Findings();
  const data = await openData(source, { format: "auto", findings, scratch: tmpdir() });
  try {
    findings.throwIfFatal(source);
    return Array.from({ length: data.queryCount }, (_, number) => data.queryAt(number).text);
  } finally {
    data.close();
  }
}
