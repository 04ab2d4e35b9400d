// The int8 graphs that quantize built and measured, with their times; the times lie in a record, as they differ between equal runs.
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { jsonOf } from "../../artifacts/json-value.js";
import type { Artifact } from "../../artifacts/store.js";
import type { TeiRuntime } from "../../stages/quantize/schema.js";
import type { MeasuredOpenvino, MeasuredRung } from "../data.js";
import { checkedFile } from "./artifacts.js";

const TIMES_FILE = "records/rungs.json";

const triedSchema = z.object({
  tried: z.array(
    z.object({
      forms: z.record(z.string(), z.int()),
      cost: z.number(),
      tables: z.enum(["fp16", "int8"]),
      error: z.number(),
      bytes: z.int(),
      kept: z.boolean(),
    }),
  ),
});
const timesSchema = z.object({ milliseconds: z.array(z.number()), openvino: z.array(z.number()).default([]) });

const teiSchema = z.object({
  tei_runtime: z.object({
    version: z.string(),
    graphs: z.array(
      z.object({
        name: z.enum(["fp32", "int8", "fp16"]),
        relative_error: z.number(),
        largest_difference: z.number(),
      }),
    ),
  }),
});

const openvinoSchema = z.object({
  openvino: z.object({
    version: z.string(),
    rows: z.array(
      z.object({ precision: z.enum(["f32", "bf16"]), relative_error: z.number(), moved_by_batch: z.number() }),
    ),
  }),
});

/** @returns null where that runtime was not there, and for an artifact of an older version. */
export const collectTeiRuntime = (quantize: Artifact | undefined): TeiRuntime | null =>
  teiSchema.safeParse(quantize?.manifest.output).data?.tei_runtime ?? null;

/** @returns none for an artifact without int8 or of an older version. @throws RerankTuneError ARTIFACT_CORRUPT. */
export async function collectLadder(quantize: Artifact | undefined): Promise<MeasuredRung[]> {
  const tried = triedSchema.safeParse(quantize?.manifest.output).data?.tried ?? [];
  if (quantize === undefined || tried.length === 0) return [];
  const times = await timesOf(quantize);
  return tried.map((rung, index) => ({ ...rung, milliseconds: times?.milliseconds[index] ?? null }));
}

/** @returns null where the recipe did not ask for it. @throws RerankTuneError ARTIFACT_CORRUPT. */
export async function collectOpenvino(quantize: Artifact | undefined): Promise<MeasuredOpenvino | null> {
  const found = openvinoSchema.safeParse(quantize?.manifest.output).data?.openvino;
  if (quantize === undefined || found === undefined) return null;
  const times = await timesOf(quantize);
  const rows = found.rows.map((row, index) => ({ ...row, milliseconds: times?.openvino[index] ?? null }));
  return { version: found.version, rows };
}

async function timesOf(quantize: Artifact): Promise<z.infer<typeof timesSchema> | undefined> {
  const file = await checkedFile(quantize, TIMES_FILE);
  return file === undefined ? undefined : timesSchema.safeParse(jsonOf(await readFile(file, "utf8"))).data;
}
