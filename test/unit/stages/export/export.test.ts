import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StageContext } from "../../../../src/pipeline/stage.js";
import { exportStage } from "../../../../src/stages/export/index.js";
import { exportJob } from "../../../../src/stages/export/job.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const OUTPUT = {
  max_abs_diff: 1e-6,
  golden_pairs: 44,
  inputs: ["input_ids", "attention_mask"],
  bytes: 9,
  opset: 17,
  ir_version: 8,
};

/** A context whose worker greets and reports `outputs`. */
async function contextWith(outputs: unknown): Promise<StageContext> {
  const outDir = await temporaryFolder();
  const worker = join(outDir, "worker.py");
  const envelope = { v: 1, time: 0, job: "export" };
  const hello = { ...envelope, seq: 0, type: "hello", worker_version: "t", python: "3", packages: {}, device: "cpu" };
  const done = { ...envelope, seq: 1, type: "done", outputs, metrics: {}, durations: {} };
  const lines = [hello, done].map((event) => `print(${JSON.stringify(JSON.stringify(event))})`);
  await writeFile(worker, lines.join("\n"));
  const executable = process.env.RERANK_TUNE_TEST_PYTHON ?? "python3";
  return {
    outDir,
    resuming: false,
    signal: new AbortController().signal,
    emit: () => undefined,
    python: async () => ({ executable, worker, variables: {} }),
    now: () => new Date(0),
  };
}
const inputs = { train: { dir: "/runs/train", output: {}, digest: "t" } };

describe("the export job", () => {
  test("reads the model folder of train and nothing else", () => {
    expect(exportJob({ opset: 17, max_length: 256 }, "/runs/train")).toEqual({
      kind: "export",
      inputs: { model: join("/runs/train", "model") },
      options: { opset: 17, max_length: 256 },
    });
  });
});

describe("the export stage", () => {
  test("gives what the job reported", async () => {
    expect(await exportStage.run(await contextWith(OUTPUT), { opset: 17, max_length: 64 }, inputs)).toEqual(OUTPUT);
  });

  test("keeps the job in its records", async () => {
    const context = await contextWith(OUTPUT);
    await exportStage.run(context, { opset: 17, max_length: 64 }, inputs);
    const job: unknown = JSON.parse(await readFile(join(context.outDir, "records", "job.json"), "utf8"));
    expect(job).toMatchObject({ kind: "export", options: { max_length: 64 } });
  });

  test("refuses a report without its fields", async () => {
    const { bytes: _, ...rest } = OUTPUT;
    const outcome = exportStage.run(await contextWith(rest), { opset: 17, max_length: 64 }, inputs);
    await expect(outcome).rejects.toMatchObject({ code: "WORKER_PROTOCOL", message: expect.stringContaining("bytes") });
  });

  test("depends on the Python lock alone among tools", () => {
    const versions = {
      rerank_tune: "1",
      node: "2",
      onnxruntime_node: "3",
      tokenizers_js: "4",
      minisearch: "5",
      python_lock: "6",
      host: "7",
    };
    expect(exportStage.tools(versions)).toEqual({ python_lock: "6" });
  });
});
