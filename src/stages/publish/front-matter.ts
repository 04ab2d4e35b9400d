// The card's front matter: by it the Hub lists, searches and links a model. Only what is true and measured; nothing that differs from run to run. Pure.
import type { PackageManifest, VariantName } from "../../model-folder/layout.js";
import type { QualityRow, VerifyOutput } from "../verify/schema.js";
import type { CardInput } from "./card-input.js";

const METRICS = [
  { type: "ndcg@10", name: "NDCG@10" },
  { type: "mrr@10", name: "MRR@10" },
  { type: "recall@5", name: "Recall@5" },
] as const;

/** What the card's folder is to those who search the Hub. */
interface Kind {
  library: string;
  tags: readonly string[];
  relation: "finetune" | "quantized";
  /** Whose figures are the model's: what a client gets by default. */
  variant: VariantName;
}

const MODEL: Kind = {
  library: "sentence-transformers",
  tags: ["sentence-transformers", "cross-encoder", "reranker", "text-embeddings-inference", "onnx", "transformers.js"],
  relation: "finetune",
  variant: "fp32",
};

/** The folder that holds the int8 graph for Text Embeddings Inference. */
export const TEI_FOLDER: Kind = {
  library: "text-embeddings-inference",
  tags: ["cross-encoder", "reranker", "text-embeddings-inference", "onnx"],
  relation: "quantized",
  variant: "int8",
};

/** A base that is not on the Hub has no `base_model`; quality that was not measured has no `model-index`. */
export function frontMatter(input: CardInput, kind: Kind = MODEL): Record<string, unknown> {
  const { license, license_name, license_link, languages, manifest, name, verified } = input;
  const hub = /^hub:([^@]+)@/.exec(manifest.base_model)?.[1];
  const quality = publishedQuality(verified, kind.variant);
  return {
    pipeline_tag: "text-ranking",
    library_name: kind.library,
    tags: [...kind.tags, ...trainingPairs(manifest)],
    license,
    ...(license_name === undefined ? {} : { license_name }),
    ...(license_link === undefined ? {} : { license_link }),
    ...(languages.length > 0 ? { language: languages } : {}),
    ...(hub === undefined ? {} : { base_model: hub, base_model_relation: kind.relation }),
    ...(quality === null
      ? {}
      : { metrics: METRICS.map(({ type }) => type), "model-index": modelIndex(name, manifest, quality) }),
  };
}

/** Of the graph on a processor; for fp32 those of the tuned model are as good. */
function publishedQuality({ variants, tuned }: VerifyOutput, variant: VariantName): QualityRow | null {
  const measured = variants.find(({ name, provider }) => name === variant && provider === "cpu")?.quality;
  return measured ?? (variant === "fp32" ? tuned : null);
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
