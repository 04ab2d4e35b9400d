// The package stage on the files that bge_shape.py made: node bench/bge_package.mjs FOLDER MAX_LENGTH. Needs `npm run build`.
import { join } from "node:path";
import { packageStage } from "../dist/stages/package/index.js";

const [folder, maxLength] = process.argv.slice(2);
const stage = (dir, output = {}) => ({ dir, output, digest: "" });
const context = { outDir: join(folder, "package"), signal: new AbortController().signal, emit: () => undefined };
const options = {
  // Ten candidates and fp32, int8 and fp16: one request of fp32 alone takes seconds at this size.
  recipe: { verify: { latency: { candidates: [10], budget_seconds: 60 } } },
  base_identity: "local:random-weights",
  max_length: Number(maxLength),
};
const inputs = {
  prepare: stage(folder),
  train: stage(folder, { model_type: "xlm-roberta" }),
  export: stage(join(folder, "export"), { inputs: ["input_ids", "attention_mask"] }),
  quantize: stage(join(folder, "quantize")),
};
console.log(JSON.stringify(await packageStage.run(context, options, inputs)));
