// Options and output of `quantize`: which variants to make and how much calibration they get.
import { z } from "zod";

export const quantizeSchema = z.strictObject({
  int8: z.boolean().default(true).describe("Make the batch-invariant int8 graph (onnx.md §10)."),
  fp16: z.boolean().default(true).describe("Make the fp16 graph with float32 logits."),
  fp16_attention: z
    .enum(["plain", "fused"])
    .default("plain")
    .describe(
      "`fused` makes each attention of the fp16 graph one com.microsoft MultiHeadAttention, for ONNX Runtime on CUDA; browsers with WebGPU then cannot run the file.",
    ),
  calibration_queries: z.int().min(2).default(24).describe("Training queries whose pairs set the static scales."),
  calibration_depth: z.int().min(2).default(8).describe("Passages a calibration query."),
  weight_bits: z
    .enum(["auto", "7", "8"])
    .default("auto")
    .describe("`7` for CPUs without VNNI, where 8-bit products saturate; `auto` reads this machine's CPU flags."),
});
export type QuantizeOptions = z.infer<typeof quantizeSchema>;

/** The section and the length that calibration pairs are cut at. */
export type QuantizeStageOptions = QuantizeOptions & { max_length: number };

export interface QuantizedVariant {
  name: "int8" | "fp16";
  /** Relative to the artifact folder. */
  file: string;
  bytes: number;
  /** Root mean square score error against fp32 over its standard deviation, on calibration pairs held back from the search. */
  relative_error: number;
}
export interface TriedInt8 {
  /** Of how many of the graph's matrix inputs each token has a scale of its own; the others have one for all. */
  token_inputs: number;
  inputs: number;
  /** What large lookup tables are stored in; int8 with a scale per row. */
  tables: "fp16" | "int8";
  /** As `relative_error`, on the pairs of the search. */
  error: number;
  bytes: number;
  kept: boolean;
}
export interface QuantizeOutput {
  variants: QuantizedVariant[];
  /** Per MatMul: node, form (`static` or `token`), smoothing strength alpha, measured error. */
  choices: { node: string; form: string; alpha: number; error: number }[];
  /** The int8 graphs that were measured, in their order; one was kept. */
  tried: TriedInt8[];
  weight_bits: number;
}
