import { describe, expect, test } from "vitest";
import type { PublishRequest, Registry } from "../../../src/registry/index.js";
import { encodeOnnx, FLOAT, soundGraph } from "../../helpers/onnx-writer.js";
import { emptyRegistry, report, reporting, request } from "../../helpers/registry.js";

/** A safetensors file of float32 vectors. */
function safetensors(tensors: Record<string, number[]>): string {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, values]) => {
      const begin = end;
      end += 4 * values.length;
      return [name, { dtype: "F32", shape: [values.length], data_offsets: [begin, end] }];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Buffer.from(new Float32Array(Object.values(tensors).flat()).buffer);
  return Buffer.concat([length, text, data]).toString("latin1");
}

async function pair(
  left: Record<string, string>,
  right: Record<string, string>,
  [before, after]: Partial<PublishRequest>[] = [],
): Promise<{ registry: Registry; left: string; right: string }> {
  const registry = await emptyRegistry();
  const files = (contents: Record<string, string>) =>
    Object.entries(contents).map(([path, content]) => ({
      path,
      source: { content: Buffer.from(content, "latin1") },
    }));
  const one = await registry.publishVersion(request("", { files: files(left), ...before }));
  const two = await registry.publishVersion(request("", { files: files(right), ...after }));
  return { registry, left: one.version, right: two.version };
}

describe("the difference of two versions", () => {
  test("is none of a version and itself", async () => {
    const { registry, left } = await pair({ "a.json": "1" }, { "a.json": "2" });
    expect(await registry.diff(left, left)).toMatchObject({
      equal: true,
      files: { added: [], removed: [], changed: [], same: 1 },
      tensors: [],
      metrics: [],
    });
  });

  test("is files that came, went and changed, with their sizes, and lines of the card", async () => {
    const { registry, left, right } = await pair(
      { "README.md": "# m\nold\nsame", "gone.json": "12", "same.json": "{}" },
      { "README.md": "# m\nsame\nnew\nsame", "came.json": "123", "same.json": "{}" },
    );
    expect(await registry.diff(left, right)).toMatchObject({
      files: {
        added: [{ path: "came.json", bytes: 3 }],
        removed: [{ path: "gone.json", bytes: 2 }],
        changed: [{ path: "README.md", left_bytes: 12, right_bytes: 17 }],
        same: 1,
      },
      card: { removed: ["old"], added: ["new", "same"] },
      comparable: { test_split: null, machine: null },
    });
  });

  test("is tensors by name, form and bytes", async () => {
    const { registry, left, right } = await pair(
      { "model.safetensors": safetensors({ same: [1, 2], changed: [1], longer: [1], gone: [1] }) },
      { "model.safetensors": safetensors({ longer: [1, 1], changed: [2], came: [5], same: [1, 2] }) },
    );
    expect((await registry.diff(left, right)).tensors).toEqual([
      {
        file: "model.safetensors",
        added: ["came"],
        removed: ["gone"],
        reshaped: [{ name: "longer", left: "F32 [1]", right: "F32 [2]" }],
        changed: ["changed"],
        equal: 1,
        not_compared: 0,
      },
    ]);
  });

  test("is weights of graphs, also those that lie beside them", async () => {
    const inside = soundGraph();
    const outside = {
      ...soundGraph(),
      initializers: [{ name: "weight", type: FLOAT, dims: [1], location: "model.onnx_data" }],
    };
    const latin = (graph: typeof inside) => encodeOnnx(graph).toString("latin1");
    const { registry, left, right } = await pair(
      { "onnx/model.onnx": latin(outside), "onnx/model.onnx_data": "1234" },
      { "onnx/model.onnx": latin(outside), "onnx/model.onnx_data": "1235" },
    );
    expect((await registry.diff(left, right)).tensors).toMatchObject([{ changed: ["weight"], equal: 0 }]);
    const other = await pair({ "onnx/model.onnx": latin(inside) }, { "onnx/model.onnx": latin({ ...inside, ir: 9 }) });
    expect((await other.registry.diff(other.left, other.right)).tensors).toMatchObject([{ changed: [], equal: 2 }]);
  });

  test("names a file that is not what its name says", async () => {
    const { registry, left, right } = await pair({ "model.safetensors": "1" }, { "model.safetensors": "2" });
    expect((await registry.diff(left, right)).tensors).toMatchObject([{ problem: "has 1 bytes, fewer than a header" }]);
  });

  test("is quality and latency of the newest reports, and whether they can be held against each other", async () => {
    const row = { variant: "fp32", provider: "cpu", candidates: 10, p50_ms: 20, p95_ms: 30 };
    const fast = { ...row, p50_ms: 5, p95_ms: 6 };
    const base = { "ndcg@10": 0.25, "mrr@10": 0.2, "recall@5": 0.3 };
    const reports = [
      report({ fp32: "passed" }, { latency: [row], machine: { cpu: "a" } }),
      report({ fp32: "passed", int8: "passed" }, { latency: [fast], machine: { cpu: "b" }, base }),
    ].map(reporting);
    const account = (test: string) => ({ "rerank-tune.json": JSON.stringify({ data: { digests: { test } } }) });
    const { registry, left, right } = await pair(account("aa"), account("bb"), reports);
    const diff = await registry.diff(left, right);
    expect(diff.metrics.filter(({ metric }) => metric === "ndcg@10")).toEqual([
      { system: "fp32", metric: "ndcg@10", figure: { left: 0.5, right: 0.5, difference: 0 } },
      { system: "base", metric: "ndcg@10", figure: { left: null, right: 0.25, difference: null } },
      { system: "int8", metric: "ndcg@10", figure: { left: null, right: 0.5, difference: null } },
    ]);
    expect(diff.latency).toEqual([
      {
        variant: "fp32",
        provider: "cpu",
        candidates: 10,
        p50_ms: { left: 20, right: 5, difference: -15 },
        p95_ms: { left: 30, right: 6, difference: -24 },
      },
    ]);
    expect(diff.comparable).toEqual({ test_split: false, machine: false });
  });
});
