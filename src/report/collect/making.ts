// How the results came about: stages, options, versions and counts out of the manifests. Paths and file names stay out.
import { z } from "zod";
import { trimReportSchema } from "../../trim/schema.js";
import type { DataCounts, Making } from "../data.js";
import type { Chain } from "./artifacts.js";
import { collectLadder, collectOpenvino, collectTeiRuntime } from "./ladder.js";

/** Sections of the recipe whose options decide the results; the others name places or repeat these. */
const SECTIONS = ["prepare", "train", "export", "quantize", "verify"];

const sizes = z.object({ train: z.int(), dev: z.int(), test: z.int() });
const preparedSchema = z.object({
  queries: sizes,
  pairs: sizes,
  first_stage: z.object({ name: z.string() }).nullish(),
});

/** @throws RerankTuneError ARTIFACT_CORRUPT. */
export async function collectMaking(chain: Chain): Promise<Making> {
  const artifacts = [...chain];
  const train = chain.get("train")?.manifest;
  const base = (train?.options as { base_identity?: unknown } | undefined)?.base_identity;
  const versions = new Map(artifacts.flatMap(([, { manifest }]) => Object.entries(manifest.tools)));
  versions.set("rerank_tune", train?.rerank_tune ?? "");
  versions.delete("host"); // stands by itself
  return {
    base: typeof base === "string" ? base : null,
    data: dataCounts(chain.get("prepare")?.manifest.output),
    stages: artifacts.map(([name, { manifest }]) => {
      const { started, seconds, key, digest } = manifest;
      return { name, started, seconds, key, digest };
    }),
    trim: trimReportSchema.safeParse((train?.output as { trim?: unknown } | undefined)?.trim).data ?? null,
    int8: await collectLadder(chain.get("quantize")),
    tei_runtime: collectTeiRuntime(chain.get("quantize")),
    openvino: await collectOpenvino(chain.get("quantize")),
    options: artifacts
      .filter(([name]) => SECTIONS.includes(name))
      .flatMap(([name, { manifest }]) => flatOptions(name, manifest.options)),
    tools: [...versions].sort(([left], [right]) => (left < right ? -1 : 1)),
    host: train?.host ?? "",
  };
}

/** Options as dotted names and values. What is a path, or stood for one in the manifest, is left out. */
export function flatOptions(name: string, value: unknown): [string, string][] {
  if (value === null || value === undefined) return [];
  if (typeof value === "object" && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, item]) => flatOptions(`${name}.${key}`, item));
  const text = Array.isArray(value) ? value.map(String).join(", ") : String(value);
  return /[\\/]|source:/.test(text) || name.endsWith(".base_identity") ? [] : [[name, text]];
}

function dataCounts(output: unknown): DataCounts | null {
  const found = preparedSchema.safeParse(output).data;
  if (found === undefined) return null;
  const { queries, pairs, first_stage } = found;
  // A run's name is the name of the person's file or retriever.
  return { queries, pairs, first_stage: first_stage?.name === "bm25" ? "BM25" : null };
}
