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
  /** `<name>-int8@sha256:...`: the folder for TEI, whose `onnx/model.onnx` is the int8 graph; absent when int8 is not published. */
  tei_version?: string;
}
