// `data synthesize`: queries for unlabelled passages from a language model the person runs. Checks the flags and shows the counts.
import { resolve } from "node:path";
import { synthesize } from "../data-tools/synthesize/index.js";
import type { JudgeOptions, SynthesizeOptions, SynthesizeReport } from "../data-tools/synthesize/options.js";
import { RerankTuneError } from "../errors.js";
import type { VariantName } from "../model-folder/layout.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { type CommandContext, displayPath } from "./context.js";
import { concurrencyOf, type EndpointFlags, endpointOptions, outFile, refuseWith, wholeNumber } from "./data-score.js";

/** Numbers come as texts. */
export interface DataSynthesizeFlags extends EndpointFlags {
  endpoint: string;
  model: string;
  out: string;
  perPassage?: string;
  count?: string;
  seed?: string;
  language?: string;
  prompt?: string;
  temperature?: string;
  maxTokens?: string;
  judge?: string;
  variant?: VariantName;
  keepTop?: string;
  depth?: string;
  avoid?: string;
  resume?: boolean;
}

/** @throws RerankTuneError USAGE, and what synthesize throws. */
export async function dataSynthesize(
  path: string,
  flags: DataSynthesizeFlags,
  context: CommandContext,
): Promise<Renderable> {
  const { signal, emit, python } = context;
  const report = await synthesize(synthesizeOptions(path, flags), { signal, emit, python });
  return { data: report, essential: report.out, text: () => reportText(report) };
}

/** @throws RerankTuneError USAGE. */
export function synthesizeOptions(path: string, flags: DataSynthesizeFlags): SynthesizeOptions {
  const { endpoint, model, out, prompt, avoid, resume } = flags;
  const judge = judgeOf(flags);
  return {
    corpus: resolve(path),
    out: outFile(out),
    writer: {
      endpoint: endpointOptions(
        endpoint,
        "--endpoint",
        { whole: "/v1/chat/completions", last: "chat/completions" },
        flags,
      ),
      model,
      concurrency: concurrencyOf(flags),
      temperature: temperatureOf(flags.temperature ?? "0.7"),
      maxTokens: wholeNumber("--max-tokens", flags.maxTokens ?? "1024", 16, 100_000),
      language: flags.language ?? "auto",
      ...(prompt === undefined ? {} : { promptFile: resolve(prompt) }),
    },
    perPassage: wholeNumber("--per-passage", flags.perPassage ?? "1", 1, 20),
    count: wholeNumber("--count", flags.count ?? "1000", 1, 10_000_000),
    seed: wholeNumber("--seed", flags.seed ?? "7", 0, 2 ** 31 - 1),
    resume: resume === true,
    ...(judge === undefined ? {} : { judge }),
    ...(avoid === undefined ? {} : { avoid: resolve(avoid) }),
  };
}

function judgeOf({ judge, variant, keepTop, depth }: DataSynthesizeFlags): JudgeOptions | undefined {
  if (judge === undefined) {
    refuseWith("no --judge FOLDER", { "--variant": variant, "--keep-top": keepTop, "--depth": depth });
    return undefined;
  }
  return {
    folder: resolve(judge),
    keepTop: wholeNumber("--keep-top", keepTop ?? "1", 1, 1000),
    depth: wholeNumber("--depth", depth ?? "30", 2, 1000),
    ...(variant === undefined ? {} : { variant }),
  };
}

function temperatureOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 2) return value;
  throw new RerankTuneError({
    code: "USAGE",
    message: `--temperature ${text} is not a number from 0 to 2.`,
    hint: "such as --temperature 0.7",
  });
}

function reportText(report: SynthesizeReport): string {
  const { asked, unusable, copied, written, avoided, duplicates, rejected, kept } = report;
  const rows: [string, number, string][] = [
    ["passages asked about", asked, `of ${report.corpus_passages}; ${report.too_short} drawn were too short`],
    ["unusable replies", unusable, "without a query"],
    ["queries written", written, `by ${report.model}; ${copied} more were copied from the passage`],
    ["left out", avoided, "near-duplicates of your own queries"],
    ["left out", duplicates, "near-duplicates of one another"],
    [
      "left out",
      rejected ?? 0,
      rejected === null ? "by a judge: none was named" : "whose passage the judge ranked lower",
    ],
    ["kept", kept, "for training alone (split train)"],
  ];
  const lines = columns(
    rows.map(([name, count, what]) => [name, String(count), what]),
    [2],
  );
  return [`wrote ${displayPath(report.out)}`, "", ...lines].join("\n");
}
