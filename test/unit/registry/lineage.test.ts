import { describe, expect, test } from "vitest";
import { canonicalJson, hashText } from "../../../src/artifacts/hash.js";
import { lineageDot, lineageMermaid } from "../../../src/commands/lineage-drawings.js";
import type { Lineage } from "../../../src/registry/index.js";
import { packagedRegistry, RECIPE } from "../../helpers/packaged-registry.js";
import { emptyRegistry, request } from "../../helpers/registry.js";

const edgesOf = ({ edges }: Lineage): string[] => edges.map(({ from, to, how }) => `${from} -${how}-> ${to}`);

describe("the lineage of a version", () => {
  test("leads from base, data, recipe and tools over the weights to its graphs, and on to what holds one of them", async () => {
    const graph = await (await packagedRegistry()).lineage("reranker");
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
    expect(node("report.1")?.label).toBe("report");
  });

  test("holds no words of the recipe", async () => {
    expect(JSON.stringify(await (await packagedRegistry()).lineage("reranker"))).not.toMatch(/Client|secret/);
  });

  test("of the folder for TEI is that of its graph", async () => {
    const edges = edgesOf(await (await packagedRegistry()).lineage("reranker-int8"));
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
