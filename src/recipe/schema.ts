// The recipe: joins the stages' option schemas. The only list of top-level keys.
import { z } from "zod";
import { exportSchema } from "../stages/export/schema.js";
import { packageSchema } from "../stages/package/schema.js";
import { prepareSchema } from "../stages/prepare/schema.js";
import { publishSchema } from "../stages/publish/schema.js";
import { quantizeSchema } from "../stages/quantize/schema.js";
import { trainSchema } from "../stages/train/schema.js";
import { verifySchema } from "../stages/verify/schema.js";
import { trimSchema } from "../trim/schema.js";

export const baseModelSchema = z.strictObject({
  path: z
    .string()
    .optional()
    .describe("Folder with config.json, tokenizer.json and model.safetensors. Relative to the recipe."),
  repo: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, "owner/name")
    .optional()
    .describe("Repository on the Hugging Face Hub, such as BAAI/bge-reranker-v2-m3."),
  revision: z
    .string()
    .default("main")
    .describe("Branch, tag or commit of `repo`; resolved to a full commit and recorded."),
  builtin: z
    .enum(["all-minilm-l6-v2"])
    .optional()
    .describe("Embedded base of the quickstart, taken out of a PyPI package."),
  custom_code: z
    .enum(["refuse", "ignore"])
    .default("refuse")
    .describe(
      "A base that names code of its own (auto_map). It is never run: `refuse` stops, `ignore` goes on with the class that transformers has for its model_type.",
    ),
  replace_head: z
    .boolean()
    .default(false)
    .describe("Take a classifier of several labels nevertheless, and train a new head of one label on its encoder."),
});

export const recipeSchema = z.strictObject({
  schema: z.literal(1).describe("Version of this format."),
  name: z
    .string()
    .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "lower-case letters, digits and single . _ - between them")
    .max(96)
    .describe("Names the run's folder and the published model: <base>-<domain>-<loss>."),
  base_model: baseModelSchema.describe("The model to start from: exactly one of path, repo, builtin."),
  prepare: prepareSchema.describe("Labelled data and candidates."),
  trim: trimSchema
    .optional()
    .describe(
      "Take the pieces out of the base's vocabulary that neither the texts of this recipe nor the languages given need, before training. Left out: the base keeps its vocabulary.",
    ),
  train: trainSchema.prefault({}).describe("Fine-tuning."),
  export: exportSchema.prefault({}).describe("PyTorch to ONNX."),
  quantize: quantizeSchema.prefault({}).describe("int8 and fp16 variants."),
  package: packageSchema.prefault({}).describe("The folder that consumers open."),
  verify: verifySchema.prefault({}).describe("Proof and gates."),
  publish: publishSchema.prefault({}).describe("The local registry."),
});
export type Recipe = z.infer<typeof recipeSchema>;
