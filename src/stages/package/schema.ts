// Options and output of `package`: the frozen folder that consumers open.
import { z } from "zod";

export const packageSchema = z.strictObject({
  license: z
    .string()
    .optional()
    .describe("SPDX identifier, or `other`; by default what the base model's own card names, and `other` without one."),
  languages: z.array(z.string()).default([]).describe("ISO 639-1 codes for the card."),
  description: z
    .string()
    .optional()
    .describe("One sentence for the card. It is published as it is: no client's name or text in it."),
});
/** What only the card says (`packageSchema`) is publish's, so that another sentence in it does not verify the model again. */
export type PackageOptions = { recipe: Record<string, unknown>; base_identity: string; max_length: number };

export interface PackageOutput {
  /** Relative to the artifact folder. */
  model: string;
  /** Folder whose `onnx/model.onnx` is the int8 graph; absent when no int8 was made. */
  tei_int8?: string;
  files: number;
  bytes: number;
}
