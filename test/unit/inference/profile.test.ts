import { readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packBatch } from "../../../src/inference/batches.js";
import { measureProviderShares } from "../../../src/inference/profile.js";
import { compiledScorerProcess, writeModelFolder } from "../../helpers/scorer-package.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const child = compiledScorerProcess();
const BATCH = packBatch([{ ids: [1, 2, 3], typeIds: [0, 0, 1], truncated: false }]);

async function modelFile(): Promise<string> {
  const folder = await temporaryFolder();
  await writeModelFolder(folder, { fp32: "sum" });
  return join(folder, "onnx", "model.onnx");
}

const profiles = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("rerank-tune-profile-"));

describe("what ran the nodes", () => {
  test("of a real graph on the CPU is the CPU, and the profile is gone afterwards", async () => {
    const before = await profiles();
    const options = { modelFile: await modelFile(), provider: "cpu", threads: 1, processFile: child.file() } as const;
    const { nodes, shares } = await measureProviderShares(BATCH, 0, options);
    expect(shares).toEqual({ CPUExecutionProvider: 1 });
    expect(nodes).toBeGreaterThan(1);
    expect(await profiles()).toEqual(before);
  });

  test("of a graph that CUDA took in part is told as the profile has it", async () => {
    const processFile = join(await temporaryFolder(), "process.mjs");
    const kernel = (index: number, provider: string) => ({
      cat: "Node",
      name: `MatMul_${index}_kernel_time`,
      args: { provider, node_index: String(index) },
    });
    const cuda = [1, 2, 3].map((index) => kernel(index, "CUDAExecutionProvider"));
    await writeFile(
      processFile,
      `import { writeFileSync } from "node:fs";
let prefix;
process.on("message", (request) => {
  if (request.type === "open") { prefix = request.profilePrefix; process.send({ type: "opened", inputs: [request.provider], loadMs: 1, memoryBytes: 1 }); }
  else if (request.type === "run") process.send({ type: "scored", id: request.id, scores: new Float32Array(1), runMs: 1, memoryBytes: 1 });
  else { writeFileSync(prefix + "_1.json", ${JSON.stringify(JSON.stringify([...cuda, kernel(4, "CPUExecutionProvider")]))}); process.send({ type: "profiled", id: request.id }); }
});`,
    );
    const options = { modelFile: await modelFile(), provider: "cuda", threads: 1, processFile } as const;
    expect(await measureProviderShares(BATCH, 0, options)).toEqual({
      nodes: 4,
      shares: { CUDAExecutionProvider: 0.75, CPUExecutionProvider: 0.25 },
    });
  });
});
