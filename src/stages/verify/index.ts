// The verify stage: proves the packaged folder on onnxruntime-node against the test split and the tuned model's scores.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { groupsFile, readAllGroups } from "../../dataset/groups.js";
import type { Stage } from "../../pipeline/stage.js";
import { readScores } from "../../ranking/scores.js";
import type { PackageOutput } from "../package/schema.js";
import { gateFailure } from "./gate-failure.js";
import type { VerifyOptions, VerifyOutput } from "./schema.js";
import { verdictText } from "./verdict.js";
import { type References, verifyFolder } from "./verify-folder.js";

export { type References, type VerifyRequest, verifyFolder } from "./verify-folder.js";

/** Gate outcomes and quality without timings: what publish depends on. */
export const VERDICT_FILE = "verdict.json";
/** The whole report; under `records/`, which stays out of the artifact's digest. */
export const REPORT_FILE = "records/report.json";

export const verify: Stage<VerifyOptions, VerifyOutput, "package" | "prepare" | "train"> = {
  name: "verify",
  version: 2,
  needs: ["package", "prepare", "train"],
  options: (recipe) => recipe.verify,
  sources: () => [],
  tools: ({ onnxruntime_node, tokenizers_js, host }) => ({ onnxruntime_node, tokenizers_js, host }),
  run: async (context, options, inputs) => {
    const { package: packaged, prepare: prepared, train: trained } = inputs;
    const output = await verifyFolder({
      folder: join(packaged.dir, (packaged.output as PackageOutput).model),
      groups: await readAllGroups(join(prepared.dir, groupsFile("test"))),
      references: await readReferences(trained.dir),
      options,
      emit: context.emit,
      signal: context.signal,
      reportFile: join(context.outDir, REPORT_FILE),
    });
    await writeFile(join(context.outDir, VERDICT_FILE), verdictText(output));
    return output;
  },
  // Thrown after publish: the variants that pass go on.
  failure: (output) =>
    gateFailure(
      output,
      "raise the limit (`--set verify.gates...`), leave the variant out (`--set quantize.int8=false`), or train better",
    ),
};

/** What train left behind: test scores of the tuned model, of the base where it was a reranker, and how fast PyTorch was. */
async function readReferences(folder: string): Promise<References> {
  const base = join(folder, "scores.base.test.tsv");
  const throughput = join(folder, "records", "throughput.json");
  return {
    tuned: await readScores(join(folder, "scores.tuned.test.tsv")),
    ...(existsSync(base) ? { base: await readScores(base) } : {}),
    ...(existsSync(throughput) ? (JSON.parse(await readFile(throughput, "utf8")) as References) : {}),
  };
}
