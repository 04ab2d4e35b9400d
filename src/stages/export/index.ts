// The stage export: the tuned model as one plain fp32 ONNX graph, with golden pairs scored by PyTorch.
import { z } from "zod";
import type { Stage } from "../../pipeline/stage.js";
import { runStageJob } from "../../worker/stage-job.js";
import { exportJob } from "./job.js";
import type { ExportOutput, ExportStageOptions } from "./schema.js";

const outputs: z.ZodType<ExportOutput> = z.object({
  max_abs_diff: z.number(),
  golden_pairs: z.int(),
  inputs: z.array(z.string()),
  bytes: z.int(),
  opset: z.int(),
  ir_version: z.int(),
});

export const exportStage: Stage<ExportStageOptions, ExportOutput, "train"> = {
  name: "export",
  version: 1,
  needs: ["train"],
  options: ({ export: section, train }) => ({ ...section, max_length: train.max_length }),
  sources: () => [],
  tools: ({ python_lock }) => ({ python_lock }),
  run: async (context, options, inputs) => {
    const output = await runStageJob(context, exportJob(options, inputs.train.dir), outputs);
    const parity = output.max_abs_diff.toExponential(1);
    context.emit({
      type: "note",
      message: `${output.golden_pairs} golden pairs: ONNX differs from PyTorch by ${parity}`,
    });
    return output;
  },
};
