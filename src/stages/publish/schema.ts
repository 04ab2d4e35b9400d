// Options and output of `publish`: one immutable version in the local registry.
import { z } from "zod";

export const publishSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+([._-][a-z0-9]+)*$/, "lower-case letters, digits and single . _ - between them")
    .max(91)
    .optional()
    .describe(
      "Name of the model in the registry; the recipe's name by default. The folder for TEI is published as `<name>-int8`.",
    ),
  alias: z
    .string()
    .regex(/^[a-z][a-z0-9._-]*$/)
    .default("latest")
    .describe("Alias that is moved to the new version."),
  against_verdict: z
    .boolean()
    .default(false)
    .describe(
      "Publish also where verify says to keep the base or the first stage, because the tuned model is not significantly better on the test split, or to keep the teacher, because a student is not shown to keep to the allowed loss. Gates stay.",
    ),
  sign_with: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Private key (PEM, P-256) that signs the version, its provenance, gates and bills of materials: a file, relative to the recipe, or `env:NAME`. The password of an encrypted key is taken from RERANK_TUNE_KEY_PASSWORD. Never the key itself.",
    ),
});
export type PublishOptions = {
  name: string;
  alias: string;
  against_verdict: boolean;
  registry_dir: string;
  recipe_name: string;
  license: string;
  license_name?: string;
  license_link?: string;
  languages: string[];
  description?: string;
  base_identity: string;
  /** Absolute path or `env:NAME`. */
  sign_with?: string;
};

export interface PublishOutput {
  /** `name@sha256:<64 hex>` of the manifest. */
  version: string;
  name: string;
  digest: string;
  alias: string;
  registry: string;
  /** Variants in the version. */
  variants: string[];
  /** Variants that verify held back, with the reason. */
  withheld: { name: string; reason: string }[];
  /** sha256 (hex) of the key that signed; null without `sign_with`. */
  signed_by: string | null;
  /** `<name>-int8@sha256:...`: the folder for TEI, whose `onnx/model.onnx` is the int8 graph; absent when int8 is not published. */
  tei_version?: string;
}
