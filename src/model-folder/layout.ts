// Names and formats inside a packaged model folder, and the rules by which a reader trusts it. Written by package, read by verify and publish.
import { z } from "zod";

/** Files that consumers look for by these very names (onnx.md §1.2). */
export const MODEL_FILES = {
  manifest: "rerank-tune.json",
  golden: "golden_pairs.json",
  config: "config.json",
  weights: "model.safetensors",
  /** Beside shards, in place of the file before. */
  weightsIndex: "model.safetensors.index.json",
  tokenizer: "tokenizer.json",
  tokenizerConfig: "tokenizer_config.json",
  modules: "modules.json",
  sentenceTransformers: "config_sentence_transformers.json",
  sentenceBert: "sentence_bert_config.json",
  specialTokens: "special_tokens_map.json",
  card: "README.md",
} as const;

export const VARIANT_NAMES = ["fp32", "int8", "fp16"] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];

/** transformers.js suffixes: none for fp32, `_quantized` (q8) for int8, `_fp16`. */
export const VARIANT_FILES: Record<VariantName, string> = {
  fp32: "onnx/model.onnx",
  int8: "onnx/model_quantized.onnx",
  fp16: "onnx/model_fp16.onnx",
};
/** External weights of the fp32 graph, present above 2 GB only. */
export const EXTERNAL_DATA = "onnx/model.onnx_data";

/** Built-in probe pairs with the ids of the Rust tokenizer and the logits of PyTorch. Written by the export job. */
export const goldenPairsSchema = z.object({
  schema: z.literal(1),
  max_length: z.int().positive(),
  pairs: z.array(
    z.object({
      name: z.string().describe("What the pair probes, e.g. `empty passage`."),
      query: z.string(),
      passage: z.string(),
      input_ids: z.array(z.int()),
      token_type_ids: z.array(z.int()).optional(),
      logit: z.number(),
    }),
  ),
});
export type GoldenPairs = z.infer<typeof goldenPairsSchema>;

/** `rerank-tune.json`: what the folder is, how it came to be, and the digest of every other file in it. No times and no user text. */
export const packageManifestSchema = z.object({
  schema: z.literal(1),
  rerank_tune: z.string().describe("Version of the tool that wrote it."),
  recipe: z.record(z.string(), z.unknown()).describe("The completed recipe, without local paths."),
  base_model: z.string(),
  model_type: z.string(),
  max_length: z.int().positive(),
  data: z.record(z.string(), z.unknown()).describe("Counts and digests of the splits; no text."),
  training: z.record(z.string(), z.unknown()),
  export: z.record(z.string(), z.unknown()),
  quantization: z.record(z.string(), z.unknown()),
  versions: z.record(z.string(), z.string()),
  host: z.string(),
  variants: z.array(z.object({ name: z.enum(VARIANT_NAMES), files: z.array(z.string()), bytes: z.int() })),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});
export type PackageManifest = z.infer<typeof packageManifestSchema>;
