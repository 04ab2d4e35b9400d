import { describe, expect, test } from "vitest";
import { canonicalJson, hashText } from "../../../src/artifacts/hash.js";
import { lineageDot, lineageMermaid } from "../../../src/commands/lineage-drawings.js";
import type { Lineage, Registry } from "../../../src/registry/index.js";
import { emptyRegistry, report, reporting, request } from "../../helpers/registry.js";

const RECIPE = { base_model: { path: "Client Ltd" }, train: { epochs: 2, loss: "secret words", seed: 7 } };

/** A model with all three graphs, and the folder for TEI that holds the int8 one. */
async function published(): Promise<Registry> {
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

const edgesOf = ({ edges }: Lineage): string[] => edges.map(({ from, to, how }) => `${from} -${how}-> ${to}`);

describe("the lineage of a version", () => {
  test("leads from base, data, recipe and tools over the weights to its graphs, and on to what holds one of them", async () => {
    const graph = await (await published()).lineage("reranker");
    expect(edgesOf(graph)).toEqual([
      "weights -packaged-> version",
      "base -trained-> weights",
      "recipe -trained-> weights",
      "tools -trained-> weights",
      "data.train -trained-> weights",
      "data.test -verified on-> version",
      "graph.fp32 -packaged-> version",
      "weights -exported-> graph.fp32",
      "graph.int8 -packaged-> version",
      "graph.fp32 -quantized-> graph.int8",
      "graph.fp16 -packaged-> version",
      "graph.fp32 -converted-> graph.fp16",
      "version -described by-> report.1",
      expect.stringMatching(/^graph\.int8 -same bytes as onnx\/model\.onnx-> reranker-int8@sha256:/),
    ]);
    const node = (id: string) => graph.nodes.find((found) => found.id === id);
    expect(node("recipe")).toMatchObject({ sha256: hashText(canonicalJson(RECIPE)), facts: { epochs: 2, seed: 7 } });
    expect(node("data.train")).toMatchObject({ sha256: "aa", facts: { queries: 3, pairs: 24 } });
    expect(node("tools")?.facts).toEqual({ "rerank-tune": "0.1.0", "train.python_lock": "abc" });
    expect(node("report.1")?.label).toBe("rerank-tune.verify-report");
  });

  test("holds no words of the recipe", async () => {
    expect(JSON.stringify(await (await published()).lineage("reranker"))).not.toMatch(/Client|secret/);
  });

  test("of the folder for TEI is that of its graph", async () => {
    const edges = edgesOf(await (await published()).lineage("reranker-int8"));
    expect(edges).toContain("graph.int8 -packaged-> version");
    expect(edges).toContain("weights -exported-> graph.fp32");
    expect(edges.filter((edge) => edge.includes("fp16") || edge.includes("weights -packaged"))).toEqual([]);
  });

  test("of a folder that says nothing of itself is the version alone", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("other"));
    expect(await registry.lineage("reranker")).toMatchObject({ nodes: [{ id: "version" }], edges: [] });
  });
});

describe("a drawing of it", () => {
  const graph: Lineage = {
    version: "m@sha256:0",
    nodes: [
      { id: "version", kind: "version", label: "m", sha256: "0123456789abcdef" },
      { id: "base", kind: "base", label: 'local:"]; x<b>\n' },
    ],
    edges: [{ from: "base", to: "version", how: "trained" }],
  };

  test("is read by Mermaid, and no label breaks out of it", () => {
    expect(lineageMermaid(graph)).toBe(
      'flowchart TD\n  n0["version<br/>m<br/>0123456789ab"]\n  n1["base<br/>local:    x b  "]\n  n1 -->|trained| n0',
    );
  });

  test("is read by Graphviz", () => {
    expect(lineageDot(graph)).toBe(
      'digraph lineage {\n  n0 [shape=box, label="version\\nm\\n0123456789ab"];\n  n1 [shape=box, label="base\\nlocal:    x b  "];\n  n1 -> n0 [label="trained"];\n}',
    );
  });
});
