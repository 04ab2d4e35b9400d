// The verify stage: proves the packaged folder on onnxruntime-node against the test split and the tuned model's scores.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { groupsFile, readAllGroups } from "../../dataset/groups.js";
import type { Stage } from "../../pipeline/stage.js";
import type { PackageOutput } from "../package/schema.js";
import type { TrainOutput } from "../train/schema.js";
import { versionFailure } from "./gate-failure.js";
import { readReferences } from "./references.js";
import type { VerifyOptions, VerifyOutput } from "./schema.js";
import { scoreAsTeiOnGpu } from "./tei-gpu.js";
import { verdictText } from "./verdict.js";
import { verifyFolder } from "./verify-folder.js";

export type { References } from "./references.js";
export { type VerifyRequest, verifyFolder } from "./verify-folder.js";

/** The verdict, gate outcomes and quality without timings: what publish depends on. */
export const VERDICT_FILE = "verdict.json";
/** The whole report; under `records/`, which stays out of the artifact's digest. */
export const REPORT_FILE = "records/report.json";

export const verify: Stage<VerifyOptions, VerifyOutput, "package" | "prepare" | "train"> = {
  name: "verify",
  // 6: also scores as text-embeddings-inference does on a GPU; a student is judged by what it keeps of its teacher.
  version: 6,
  needs: ["package", "prepare", "train"],
  options: ({ verify: section, train, base_dir }) =>
    train.student === null ? section : { ...section, teacher_dir: base_dir },
  // prepare reads them; here they stand so that the key holds their content and not their place.
  sources: ({ guard = [], teacher_dir }) => [
    ...[guard]
      .flat()
      .map((path, index) => ({ name: index === 0 ? "verify.guard" : `verify.guard.${index + 1}`, path })),
    ...(teacher_dir === undefined ? [] : [{ name: "base_model", path: teacher_dir }]),
  ],
  tools: ({ onnxruntime_node, tokenizers_js, python_lock, host }) => ({
    onnxruntime_node,
    tokenizers_js,
    python_lock,
    host,
  }),
  run: async (context, options, inputs) => {
    const { package: packaged, prepare: prepared, train: trained } = inputs;
    const folder = join(packaged.dir, (packaged.output as PackageOutput).model);
    const testFile = join(prepared.dir, groupsFile("test"));
    const groups = await readAllGroups(testFile);
    const references = await readReferences(trained.dir, prepared.dir, options.guard !== undefined, context.emit);
    const { tuned } = references;
    const { student } = trained.output as TrainOutput;
    const pairs = options.tei_gpu_pairs;
    const output = await verifyFolder({
      folder,
      groups,
      references,
      ...(pairs === 0 || tuned === undefined
        ? {}
        : {
            asTeiOnGpu: (maxLength) =>
              scoreAsTeiOnGpu({ context, folder, groupsFile: testFile, groups, tuned, maxLength, pairs }),
          }),
      ...(student === null ? {} : { student }),
      options,
      emit: context.emit,
      signal: context.signal,
      reportFile: join(context.outDir, REPORT_FILE),
    });
    await writeFile(join(context.outDir, VERDICT_FILE), verdictText(output));
    return output;
  },
  // Thrown after publish: the variants that pass go on. Against a verdict, publish refuses first unless the recipe allows it.
  failure: (output, { publish }) => versionFailure(output, publish.against_verdict),
};
