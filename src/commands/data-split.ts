// `data split`: labelled data into train, dev and test, or into folds, with near-duplicates kept together.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { SPLIT_FILE, splitData } from "../data-tools/split/index.js";
import type { SplitResult, SplitWay } from "../data-tools/split/options.js";
import type { DataFormat } from "../dataset/forms.js";
import { type DevShare, LARGEST_AUTO_SHARE } from "../dataset/query-split.js";
import { RerankTuneError } from "../errors.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { type CommandContext, displayPath } from "./context.js";

export interface DataSplitFlags {
  format: DataFormat | "auto";
  out: string;
  by: SplitWay;
  dev: DevShare;
  test: number;
  folds?: number;
  timeField: string;
  seed: number;
}

/** @throws RerankTuneError USAGE and those of `splitData`. */
export async function dataSplit(path: string, flags: DataSplitFlags, context: CommandContext): Promise<Renderable> {
  const { format, by, dev, test, folds, timeField, seed } = flags;
  requireShares(flags);
  const { signal, emit, home } = context;
  const out = resolve(flags.out);
  await mkdir(home, { recursive: true });
  const result = await splitData({
    source: path,
    format,
    out,
    by,
    dev,
    test,
    time_field: timeField,
    seed,
    scratch: home,
    signal,
    emit,
    ...(folds === undefined ? {} : { folds }),
  });
  return { data: { ...result, out }, essential: out, text: () => splitText(result, out) };
}

function requireShares({ dev, test, folds, by }: DataSplitFlags): void {
  const wrong = (message: string, hint: string): RerankTuneError =>
    new RerankTuneError({ code: "USAGE", message, hint });
  const largest = dev === "auto" ? LARGEST_AUTO_SHARE : dev;
  if (!(largest >= 0 && test > 0 && largest + test < 1))
    throw wrong(
      `--dev ${dev} and --test ${test} leave no train.`,
      "give shares of the queries between 0 and 1, such as --dev 0.1 --test 0.15",
    );
  if (folds === undefined) return;
  if (folds < 2 || folds > 20) throw wrong(`--folds ${folds} is not 2 to 20.`, "5 folds are usual: --folds 5");
  if (by === "time")
    throw wrong("--folds and --by time exclude each other: a fold would learn from the future.", "leave one out");
}

/** One row a file, and what to know of the whole. */
export function splitText(result: SplitResult, out: string): string {
  const count = (value: number) => value.toLocaleString("en-US");
  const { queries, pairs, clusters, form, by, seed, files, without_positives, made_up, left_out } = result;
  const rows = files.map(({ path, queries: inFile, pairs: pairsInFile, sha256 }) => [
    path,
    count(inFile),
    count(pairsInFile),
    sha256.slice(0, 12),
  ]);
  const notes = [
    [without_positives, "queries without a relevant passage stand in train"],
    [made_up, "made-up queries stand in train"],
    [left_out.duplicates, "repeated pairs were written once"],
    [left_out.contradictions, "contradicting labels gave way to the higher one"],
    [left_out.empty, "rows with an empty text were left out"],
  ] as const;
  return [
    `${count(pairs)} pairs of ${count(queries)} queries (${form}), ${count(clusters)} of them far apart; by ${by}, seed ${seed}`,
    "",
    ...columns([["file", "queries", "pairs", "sha256"], ...rows], [3]),
    "",
    ...notes.filter(([number]) => number > 0).map(([number, text]) => `${count(number)} ${text}`),
    `written to ${displayPath(out)}, described in ${displayPath(join(out, SPLIT_FILE))}`,
  ].join("\n");
}
