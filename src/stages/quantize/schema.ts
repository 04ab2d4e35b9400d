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
  target_error: z
    .number()
    .positive()
    .default(0.03)
    .describe(
      "Score error (root mean square over the spread of the scores) at which the search for a more exact int8 graph ends: the cheapest one within it is taken. 0.047 left NDCG@10 within 0.3 % (onnx.md §10); a smaller error also makes the NDCG gate decide on fewer queries.",
    ),
  max_error: z
    .number()
    .positive()
    .default(0.15)
    .describe(
      "Score error that no int8 graph may exceed without 8-bit block weights being tried, which keep the activations and gain little time. 0.11 was harmless on real weights, 0.26 was not (onnx.md §10).",
    ),
  weight_bits: z
    .enum(["auto", "7", "8"])
    .default("auto")
    .describe("`7` for CPUs without VNNI, where 8-bit products saturate; `auto` reads this machine's CPU flags."),
  openvino: z
    .boolean()
    .default(false)
    .describe(
      "Also score and time the fp32 graph in OpenVINO, in float32 and bfloat16, for servers that use it. Needs `rerank-tune env --openvino`. Its bf16 was 1.7 times as fast as our int8 on a processor with AMX, and its scores depend on the batch by about 0.02 (bench/results/other_runtimes.txt), so it is measured and told, not published.",
    ),
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
/**
 * How the input of a matrix is multiplied, from cheap to dear: as int8 with one scale for all tokens, the same with its channels divided
 * first, with a scale a token; as float32 with 8-bit weights by blocks; as it was.
 */
export const INPUT_FORMS = ["static", "smoothed", "token", "block", "float32"] as const;
export type InputForm = (typeof INPUT_FORMS)[number];

/** One rung of the ladder: an int8 graph that was built and measured. */
export interface TriedInt8 {
  /** Matrix inputs of the graph by form. */
  forms: Record<InputForm, number>;
  /** Time a token beyond the cheapest graph, in passes over one channel: an estimate that only orders the rungs. */
  cost: number;
  /** What large lookup tables are stored in; int8 with a scale per row. */
  tables: "fp16" | "int8";
  /** As `relative_error`, on the pairs of the search. */
  error: number;
  bytes: number;
  kept: boolean;
}
export interface TeiRuntime {
  version: string;
  graphs: {
    name: "fp32" | "int8" | "fp16";
    /** As QuantizedVariant has it: against fp32 in the current runtime. */
    relative_error: number;
    /** Largest difference of a score to the same graph in the current runtime. */
    largest_difference: number;
  }[];
}
/** The fp32 graph in OpenVINO. */
export interface OpenvinoRuntime {
  version: string;
  /** One a precision that the processor has. */
  rows: {
    precision: "f32" | "bf16";
    /** As QuantizedVariant has it. */
    relative_error: number;
    /** Largest difference of a score alone to the same in a padded batch. */
    moved_by_batch: number;
  }[];
}
export interface QuantizeOutput {
  variants: QuantizedVariant[];
  /** Per MatMul: node, form (`static`, `token`, `block` or `float32`), smoothing strength alpha, measured error. */
  choices: { node: string; form: string; alpha: number; error: number }[];
  /** All graphs in the ONNX Runtime that TEI embeds; null where it is not installed. */
  tei_runtime: TeiRuntime | null;
  /** Null where the recipe does not ask for it. */
  openvino: OpenvinoRuntime | null;
  /** The int8 graphs that were measured, in their order; one was kept. */
  tried: TriedInt8[];
  weight_bits: number;
}
