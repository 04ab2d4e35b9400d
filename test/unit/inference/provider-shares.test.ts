import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { findOnnxRuntime } from "../../../src/environment/onnxruntime.js";
import { providerShares, sharesText } from "../../../src/inference/provider-shares.js";

/** One kernel as ONNX Runtime 1.30 writes it, without its many other arguments. */
const kernel = (name: string, index: number, provider: string, category = "Node") => ({
  cat: category,
  pid: 439,
  tid: 439,
  dur: 73,
  ts: 32559,
  ph: "X",
  name,
  args: { provider, node_index: String(index), op_name: "MatMul", output_size: "12" },
});

const SESSION = { cat: "Session", pid: 1, tid: 1, dur: 1, ts: 4, ph: "X", name: "model_loading_uri", args: {} };

describe("the providers of a profile", () => {
  test("share the nodes that ran, each counted once however often it ran", () => {
    const cuda = [0, 1, 2].map((index) => kernel(`MatMul_${index}_kernel_time`, index, "CUDAExecutionProvider"));
    const cpu = kernel("Gather_3_kernel_time", 3, "CPUExecutionProvider");
    const found = providerShares(JSON.stringify([SESSION, ...cuda, cpu, ...cuda, cpu]));
    expect(found).toEqual({ nodes: 4, shares: { CUDAExecutionProvider: 0.75, CPUExecutionProvider: 0.25 } });
    expect(sharesText(found)).toBe("CUDA 75.0 %, CPU 25.0 %");
  });

  test("count copies between devices, and neither fences nor what is no node", () => {
    const events = [
      kernel("Memcpy_token_7_kernel_time", 7, "CUDAExecutionProvider"),
      kernel("MatMul_1_fence_before", 1, "CPUExecutionProvider"),
      kernel("MatMul_2_kernel_time", 2, "CPUExecutionProvider", "Kernel"),
      kernel("Tensorrt_8_kernel_time", 8, "TensorrtExecutionProvider"),
    ];
    expect(providerShares(JSON.stringify(events)).shares).toEqual({
      CUDAExecutionProvider: 0.5,
      TensorrtExecutionProvider: 0.5,
    });
  });

  test.each(["[]", JSON.stringify([SESSION]), "[", "{}"])("are not made up from %s", (text) => {
    expect(() => providerShares(text)).toThrow();
  });

  test("of a real session on the CPU are the CPU alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rerank-tune-test-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const entry = findOnnxRuntime() ?? "";
    const { InferenceSession, Tensor } = createRequire(entry)(entry) as typeof import("onnxruntime-node");
    const model = resolve(import.meta.dirname, "../../fixtures/scorer-models/segments.onnx");
    const session = await InferenceSession.create(model, {
      executionProviders: ["cpu"],
      enableProfiling: true,
      profileFilePrefix: join(folder, "profile"),
    });
    const row = (...ids: number[]) => new Tensor("int64", BigInt64Array.from(ids.map(BigInt)), [1, ids.length]);
    await session.run({ input_ids: row(1, 2), attention_mask: row(1, 1), token_type_ids: row(0, 1) });
    session.endProfiling();
    const [profile = ""] = await readdir(folder);
    const { nodes, shares } = providerShares(await readFile(join(folder, profile), "utf8"));
    expect(shares).toEqual({ CPUExecutionProvider: 1 });
    expect(nodes).toBeGreaterThan(3);
  });
});
