// What a training run recorded of itself: its history, speed and end.
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Artifact } from "../../artifacts/store.js";
import type { Affine, Part, Training, TrainingRow } from "../data.js";
import { checkedFile } from "./artifacts.js";
import { collectSweep } from "./sweep.js";

const HISTORY_FILE = "records/history.jsonl";
const THROUGHPUT_FILE = "records/throughput.json";

const measured = z
  .number()
  .nullish()
  .transform((value) => value ?? null);
const rowSchema = z.object({
  step: z.int().min(0),
  loss: measured,
  learning_rate: measured,
  gradient_norm: measured,
  "dev_ndcg@10": measured,
  /** Only where several seeds were trained. */
  seed: z.int().optional(),
});
type SeedRow = TrainingRow & { seed?: number };
const throughputSchema = z.object({
  train_tokens_per_second: measured,
  train_seconds: measured,
  peak_memory_bytes: measured,
});
const outputSchema = z.object({
  base_is_reranker: z.boolean(),
  steps: z.int(),
  best_step: z.int(),
  ended: z.string(),
  parameters: z.int(),
  device: z.string(),
  precision: z.string(),
  seeds: z
    .object({
      runs: z.array(
        z
          .object({ seed: z.int(), dev_ndcg_at_10: measured })
          .transform(({ seed, dev_ndcg_at_10 }) => ({ seed, dev_ndcg: dev_ndcg_at_10 })),
      ),
      best_seed: z.int(),
      averaged: z.array(z.int()),
      kept: z.enum(["average", "seed"]),
    })
    .nullish()
    .transform((seeds) => seeds ?? null),
  student: z
    .object({ kept_layers: z.array(z.int()) })
    .nullish()
    .transform((student) => (student ? { layers: student.kept_layers.length } : null)),
  interpolation: z
    .object({ alpha: z.number(), dev_ndcg_at_10: z.number() })
    .nullish()
    .transform((mixed) => (mixed ? { alpha: mixed.alpha, dev_ndcg: mixed.dev_ndcg_at_10 } : null)),
});
const calibrationSchema = z.object({ calibration: z.object({ a: z.number().positive(), b: z.number() }) });

/** @throws RerankTuneError ARTIFACT_CORRUPT. */
export async function collectTraining(train: Artifact): Promise<Part<Training>> {
  const output = outputSchema.safeParse(train.manifest.output);
  const rows = await historyOf(train);
  if (output.data === undefined || rows === undefined)
    return { missing: "The training was recorded by another version of rerank-tune; its course cannot be shown." };
  const speed = await throughputOf(train);
  const best = output.data.seeds?.best_seed;
  return {
    // A row has no seed, and there is no best one, where one seed was trained.
    rows: rows.filter(({ seed }) => seed === best).map(({ seed: _, ...row }) => row),
    ...output.data,
    sweep: await collectSweep(train),
    seconds: speed?.train_seconds ?? null,
    tokens_per_second: speed?.train_tokens_per_second ?? null,
    memory_bytes: speed?.peak_memory_bytes ?? null,
  };
}

/** The affine map that was folded into the last layer, `after = a * before + b`; undefined without one. */
export function calibrationMap({ manifest }: Artifact): Affine | undefined {
  return calibrationSchema.safeParse(manifest.output).data?.calibration;
}

/** Lines of history.jsonl; undefined when there are none or one is of another form. */
export function historyRows(text: string): SeedRow[] | undefined {
  try {
    const rows = text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => rowSchema.parse(JSON.parse(withoutNotANumber(line))));
    if (rows.length === 0) return undefined;
    return rows.map(({ "dev_ndcg@10": dev_ndcg, ...row }) => ({ ...row, dev_ndcg }));
  } catch {
    return undefined;
  }
}

async function historyOf(train: Artifact): Promise<SeedRow[] | undefined> {
  const file = await checkedFile(train, HISTORY_FILE);
  return file === undefined ? undefined : historyRows(await readFile(file, "utf8"));
}

async function throughputOf(train: Artifact): Promise<z.infer<typeof throughputSchema> | undefined> {
  const file = await checkedFile(train, THROUGHPUT_FILE);
  if (file === undefined) return undefined;
  return throughputSchema.safeParse(JSON.parse(await readFile(file, "utf8"))).data;
}

/** Python writes NaN and Infinity as bare words, which JSON does not know. */
const withoutNotANumber = (line: string): string => line.replace(/(:\s*)(?:NaN|-?Infinity)/g, "$1null");
