// The stage quantize: batch-invariant int8 and fp16 graphs, with their score errors on held-back calibration pairs.
import { z } from "zod";
import type { Stage } from "../../pipeline/stage.js";
import { runStageJob } from "../../worker/stage-job.js";
import { quantizeJob } from "./job.js";
import { INPUT_FORMS, type OpenvinoRuntime, type QuantizeOutput, type QuantizeStageOptions } from "./schema.js";
import { resolveWeightBits } from "./weight-bits.js";

const outputs: z.ZodType<QuantizeOutput> = z.object({
  variants: z.array(
    z.object({ name: z.enum(["int8", "fp16"]), file: z.string(), bytes: z.int(), relative_error: z.number() }),
  ),
  choices: z.array(z.object({ node: z.string(), form: z.string(), alpha: z.number(), error: z.number() })),
  tried: z.array(
    z.object({
      forms: z.record(z.enum(INPUT_FORMS), z.int()),
      cost: z.number(),
      tables: z.enum(["fp16", "int8"]),
      error: z.number(),
      bytes: z.int(),
      kept: z.boolean(),
    }),
  ),
  tei_runtime: z
    .object({
      version: z.string(),
      graphs: z.array(
        z.object({
          name: z.enum(["fp32", "int8", "fp16"]),
          relative_error: z.number(),
          largest_difference: z.number(),
        }),
      ),
    })
    .nullable(),
  openvino: z
    .object({
      version: z.string(),
      rows: z.array(
        z.object({ precision: z.enum(["f32", "bf16"]), relative_error: z.number(), moved_by_batch: z.number() }),
      ),
    })
    .nullable(),
  weight_bits: z.int(),
});

export const quantize: Stage<QuantizeStageOptions, QuantizeOutput, "prepare" | "train" | "export"> = {
  name: "quantize",
  // 5: the int8 graph says how many bits its weights have; the ladder goes on where no rung reaches the target.
  version: 5,
  needs: ["prepare", "train", "export"],
  // `auto` is settled here: a machine with other instruction sets then has another key.
  options: ({ quantize: section, train }) => ({
    ...section,
    weight_bits: resolveWeightBits(section.weight_bits),
    max_length: train.max_length,
  }),
  sources: () => [],
  tools: ({ python_lock }) => ({ python_lock }),
  run: async (context, options, inputs) => {
    if (!options.int8 && !options.fp16)
      return {
        variants: [],
        choices: [],
        tried: [],
        tei_runtime: null,
        openvino: null,
        weight_bits: Number(options.weight_bits),
      };
    const folders = { prepare: inputs.prepare.dir, train: inputs.train.dir, export: inputs.export.dir };
    const output = await runStageJob(context, quantizeJob(options, folders), outputs);
    for (const { name, bytes, relative_error } of output.variants)
      context.emit({
        type: "note",
        message: `${name}: ${(bytes / 1e6).toFixed(1)} MB, score error ${(100 * relative_error).toFixed(1)} % of a standard deviation`,
      });
    context.emit({ type: "note", message: inTei(output) });
    if (output.openvino !== null) context.emit({ type: "note", message: inOpenvino(output.openvino) });
    return output;
  },
};

function inOpenvino({ version, rows }: OpenvinoRuntime): string {
  const told = rows.map(
    ({ precision, relative_error, moved_by_batch }) =>
      `${precision} ${(100 * relative_error).toFixed(1)} % (moved by its batch by ${moved_by_batch.toPrecision(2)})`,
  );
  return `in OpenVINO ${version}: score error ${told.join(", ")}`;
}

function inTei({ tei_runtime }: QuantizeOutput): string {
  if (tei_runtime === null) return "not scored with TEI's ONNX Runtime: it is not in the Python environment";
  const graphs = tei_runtime.graphs.map(({ name, relative_error }) => `${name} ${(100 * relative_error).toFixed(1)} %`);
  return `in TEI's ONNX Runtime ${tei_runtime.version}: score error ${graphs.join(", ")}`;
}
