// `data score`: soft labels from a larger reranker, in a folder or behind a server. Checks the flags and shows what came out.
import { resolve } from "node:path";
import { endpointAddress, isAddress } from "../data-tools/endpoint/address.js";
import type { EndpointOptions } from "../data-tools/endpoint/endpoint.js";
import { scoreData } from "../data-tools/score/index.js";
import type { EndpointTeacherOptions, RerankApi, ScoreOptions, ScoreReport } from "../data-tools/score/options.js";
import type { DataFormat } from "../dataset/forms.js";
import { RerankTuneError } from "../errors.js";
import type { VariantName } from "../model-folder/layout.js";
import { percent } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { type CommandContext, displayPath, programName } from "./context.js";

/** Flags of every command that asks a server of the person's. Numbers come as texts. */
export interface EndpointFlags {
  tokenEnv?: string;
  allowRemote?: boolean;
  timeout?: string;
  concurrency?: string;
}

export interface DataScoreFlags extends EndpointFlags {
  teacher: string;
  out?: string;
  scores?: string;
  format?: DataFormat | "auto";
  variant?: VariantName;
  maxLength?: string;
  api?: RerankApi;
  teacherModel?: string;
  batch?: string;
  toLogits?: boolean;
  resume?: boolean;
}

/** @throws RerankTuneError USAGE, and what scoreData throws. */
export async function dataScore(path: string, flags: DataScoreFlags, context: CommandContext): Promise<Renderable> {
  const { signal, emit, python } = context;
  const report = await scoreData(scoreOptions(path, flags), { signal, emit, python });
  const program = await programName();
  return {
    data: report,
    essential: report.out ?? report.scores ?? "",
    text: () => reportText(path, report, program),
  };
}

/** @throws RerankTuneError USAGE for flags that contradict one another. */
export function scoreOptions(path: string, flags: DataScoreFlags): ScoreOptions {
  const { teacher, out, scores, format, variant, maxLength, resume } = flags;
  if (out === undefined && scores === undefined)
    throw usage(
      "Nothing says where the scores go.",
      "add --out scored.jsonl for training, or --scores base.tsv for `data check` and `data mine`",
    );
  const common = {
    source: path,
    format: format ?? "auto",
    ...(out === undefined ? {} : { out: outFile(out) }),
    ...(scores === undefined ? {} : { scores: scoreFile(scores) }),
    resume: resume === true,
  } as const;
  if (isAddress(teacher)) return { ...common, teacher: endpointTeacherOptions(flags) };
  const { api, teacherModel, batch, toLogits, tokenEnv, allowRemote, timeout, concurrency } = flags;
  refuseWith("--teacher FOLDER", {
    "--api": api,
    "--teacher-model": teacherModel,
    "--batch": batch,
    "--to-logits": toLogits,
    "--token-env": tokenEnv,
    "--allow-remote": allowRemote,
    "--timeout": timeout,
    "--concurrency": concurrency,
  });
  return {
    ...common,
    teacher: {
      folder: resolve(teacher),
      ...(variant === undefined ? {} : { variant }),
      ...(maxLength === undefined ? {} : { maxLength: wholeNumber("--max-length", maxLength, 8, 100_000) }),
    },
  };
}

/** 32 is what Text Embeddings Inference takes at most unless told otherwise. */
const BATCH = "32";

function endpointTeacherOptions(flags: DataScoreFlags): EndpointTeacherOptions {
  const { teacher, variant, maxLength, teacherModel, batch, toLogits } = flags;
  refuseWith("--teacher URL", { "--variant": variant, "--max-length": maxLength });
  const api = flags.api ?? (/\/v\d+(\/rerank)?\/?(\?|$)/.test(teacher) ? "rerank" : "tei");
  const path = { whole: api === "tei" ? "/rerank" : "/v1/rerank", last: "rerank" };
  if (api === "tei") refuseWith("--api tei", { "--teacher-model": teacherModel, "--to-logits": toLogits });
  return {
    api,
    endpoint: endpointOptions(teacher, "--teacher", path, flags),
    batch: wholeNumber("--batch", batch ?? BATCH, 1, 10_000),
    concurrency: concurrencyOf(flags),
    toLogits: toLogits === true,
    ...(teacherModel === undefined ? {} : { model: teacherModel }),
  };
}

/** @throws RerankTuneError USAGE. */
export function endpointOptions(
  text: string,
  flag: string,
  path: { whole: string; last: string },
  { tokenEnv, allowRemote, timeout }: EndpointFlags,
): EndpointOptions {
  return {
    address: endpointAddress(text, flag, path),
    allowRemote: allowRemote === true,
    // Node's own fetch gives up after 300 s without a beginning of a reply.
    timeoutMs: 1000 * wholeNumber("--timeout", timeout ?? "120", 1, 280),
    ...(tokenEnv === undefined ? {} : { tokenEnv }),
  };
}

export function concurrencyOf({ concurrency }: EndpointFlags): number {
  return wholeNumber("--concurrency", concurrency ?? "4", 1, 64);
}

/** @throws RerankTuneError USAGE for a name that does not say what is written. */
export function outFile(out: string): string {
  if (/\.(jsonl|ndjson)$/i.test(out)) return resolve(out);
  throw usage(
    `${out} does not end in .jsonl, which is what is written.`,
    "name the file .jsonl, such as --out scored.jsonl",
  );
}

/** @throws RerankTuneError USAGE. */
function scoreFile(scores: string): string {
  if (/\.(tsv|txt)$/i.test(scores)) return resolve(scores);
  throw usage(
    `${scores} does not end in .tsv, which is what is written.`,
    "name the file .tsv, such as --scores base.tsv",
  );
}

export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usage(`${flag} ${text} is not a whole number from ${least} to ${most}.`, `such as ${flag} ${least}`);
}

/** @throws RerankTuneError USAGE for the first flag that is given. */
export function refuseWith(what: string, flags: Record<string, unknown>): void {
  const given = Object.keys(flags).find((name) => flags[name] !== undefined);
  if (given !== undefined) throw usage(`${given} has no meaning with ${what}.`, `leave ${given} out`);
}

function usage(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "USAGE", message, hint });
}

function reportText(path: string, report: ScoreReport, program: string): string {
  const { teacher, queries, passages, resumed, agreement, lowest, highest, out, scores } = report;
  const earlier = resumed === 0 ? "" : `, ${resumed} queries of them before`;
  return [
    ...[out, scores].flatMap((file) => (file === null ? [] : [`wrote ${displayPath(file)}`])),
    "",
    `teacher    ${isAddress(teacher) ? teacher : displayPath(teacher)}`,
    `scored     ${passages} passages of ${queries} queries${earlier}`,
    `range      ${lowest.toPrecision(4)} to ${highest.toPrecision(4)}`,
    ...(agreement === null
      ? []
      : [`agreement  ${percent(agreement)} % of pairs are ordered as your labels order them`]),
    "",
    "next",
    ...(scores === null ? [] : [`  ${program} data check ${path} --scores ${displayPath(scores)}`]),
    ...(out === null
      ? []
      : [
          `  ${program} init recipe.yaml --data ${displayPath(out)}`,
          "  and in the recipe: train.loss margin_mse or kl, prepare.negatives.from judged",
        ]),
  ].join("\n");
}
