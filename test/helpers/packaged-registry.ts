// A registry with a package that says where it comes from, and its folder for TEI.
import { hashText } from "../../src/artifacts/hash.js";
import type { Registry } from "../../src/registry/index.js";
import { emptyRegistry, report, reporting, request } from "./registry.js";

/** Its texts are a client's and must not come out anywhere. */
export const RECIPE = { base_model: { path: "Client Ltd" }, train: { epochs: 2, loss: "secret words", seed: 7 } };

/** A model with all three graphs, and the folder for TEI that holds the int8 one. */
export async function packagedRegistry(): Promise<Registry> {
  const registry = await emptyRegistry();
  const contents = {
    "model.safetensors": "weights",
    "onnx/model.onnx": "fp32",
    "onnx/model_quantized.onnx": "int8",
    "onnx/model_fp16.onnx": "fp16",
  };
  const files = Object.entries(contents).map(([path, content]) => ({ path, bytes: 4, sha256: hashText(content) }));
  const account = {
    schema: 1,
    rerank_tune: "0.1.0",
    recipe: RECIPE,
    base_model: "hub:owner/base@0123",
    model_type: "bert",
    max_length: 96,
    data: { digests: { train: "aa", test: "cc" }, queries: { train: 3, test: 2 }, pairs: { train: 24 } },
    training: { steps: 5, ended: "finished" },
    export: {},
    quantization: {},
    versions: { "train.python_lock": "abc" },
    host: "host",
    variants: (["fp32", "int8", "fp16"] as const).map((name) => ({ name, files: [], bytes: 4 })),
    files,
  };
  const named = { ...contents, "rerank-tune.json": JSON.stringify(account) };
  const sources = Object.entries(named).map(([path, content]) => ({ path, source: { content } }));
  await registry.publishVersion(request("", { files: sources, ...reporting(report({ fp32: "passed" })) }));
  const tei = [{ path: "onnx/model.onnx", source: { content: "int8" } }];
  await registry.publishVersion(request("", { name: "reranker-int8", files: tei }));
  return registry;
}
