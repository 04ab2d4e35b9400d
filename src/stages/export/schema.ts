// Options and output of `export`: PyTorch to one plain fp32 ONNX graph, with golden pairs.
import { z } from "zod";

export const exportSchema = z.strictObject({
  opset: z
    .int()
    .min(17)
    .max(20)
    .default(17)
    .describe("ONNX operator set; 17 loads everywhere and keeps attention fusable (onnx.md §5)."),
});
export type ExportOptions = z.infer<typeof exportSchema>;

/** The section and the length that golden pairs are cut at. */
export type ExportStageOptions = ExportOptions & { max_length: number };

export interface ExportOutput {
  /** Largest |logit difference| between PyTorch and ONNX Runtime (Python) over the golden pairs. */
  max_abs_diff: number;
  golden_pairs: number;
  inputs: string[];
  bytes: number;
  opset: number;
  ir_version: number;
}
