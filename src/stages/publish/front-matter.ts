// The card's front matter: by it the Hub lists, searches and links a model. Only what is true and measured; nothing that differs from run to run. Pure.
import type { PackageManifest } from "../../model-folder/layout.js";
import type { QualityRow, VerifyOutput } from "../verify/schema.js";
import type { CardInput } from "./card.js";

const METRICS = [
  { type: "ndcg@10", name: "NDCG@10" },
  { type: "mrr@10", name: "MRR@10" },
  { type: "recall@5", name: "Recall@5" },
] as const;

/** A base that is not on the Hub has no `base_model`; quality that was not measured has no `model-index`. */
export function frontMatter(input: CardInput): Record<string, unknown> {
  const { license, license_name, license_link, languages, manifest, name, verified } = input;
  const hub = /^hub:([^@]+)@/.exec(manifest.base_model)?.[1];
  const quality = publishedQuality(verified);
  return {
    pipeline_tag: "text-ranking",
    library_name: "sentence-transformers",
    tags: [
      "sentence-transformers",
      "cross-encoder",
      "reranker",
      "text-embeddings-inference",
      "onnx",
      "transformers.js",
      ...trainingPairs(manifest),
    ],
    license,
    ...(license_name === undefined ? {} : { license_name }),
    ...(license_link === undefined ? {} : { license_link }),
    ...(languages.length > 0 ? { language: languages } : {}),
    ...(hub === undefined ? {} : { base_model: hub, base_model_relation: "finetune" }),
    ...(quality === null
      ? {}
      : { metrics: METRICS.map(({ type }) => type), "model-index": modelIndex(name, manifest, quality) }),
  };
}

/** What a client gets by default: the fp32 graph on a processor. */
function publishedQuality({ variants, tuned }: VerifyOutput): QualityRow | null {
  return variants.find(({ name, provider }) => name === "fp32" && provider === "cpu")?.quality ?? tuned;
}

/** The data is the user's own and has no name that may be told: its digest says which split it was. */
function modelIndex(name: string, manifest: PackageManifest, quality: QualityRow): object[] {
  const { digests } = manifest.data as { digests?: Record<string, string> };
  const revision = digests?.test;
  const dataset = {
    type: "private",
    name: "held-out test split",
    split: "test",
    ...(revision === undefined ? {} : { revision }),
  };
  const metrics = METRICS.map(({ type, name: label }) => ({ type, value: rounded(quality[type]), name: label }));
  return [{ name, results: [{ task: { type: "text-ranking", name: "Text Ranking" }, dataset, metrics }] }];
}

/** The tag by which sentence-transformers tells how much a model was trained on. */
function trainingPairs({ data }: PackageManifest): string[] {
  const { pairs } = data as { pairs?: Record<string, number> };
  return pairs?.train === undefined ? [] : [`dataset_size:${pairs.train}`];
}

const rounded = (value: number): number => Number(value.toFixed(4));
