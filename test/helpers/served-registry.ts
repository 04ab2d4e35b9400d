// A registry of small versions for tests of views and of the server: two versions of a reranker, its int8 folder, and odd files.
import { join } from "node:path";
import { openRegistry, type PublishedVersion, type Registry } from "../../src/registry/index.js";
import { temporaryFolder } from "./temporary-folder.js";

export const CARD = `---\npipeline_tag: text-ranking\nlibrary_name: sentence-transformers\nlicense: apache-2.0\ntags:\n  - reranker\n---\n\n# A <b>card</b>\n`;

export interface ServedRegistry {
  registry: Registry;
  /** Behind no alias. */
  first: PublishedVersion;
  /** Behind `latest`. */
  second: PublishedVersion;
  int8: PublishedVersion;
}

/** About 7 bytes a line, no two lines alike, so that a wrong offset shows. */
export function numberedLines(lines: number): string {
  return Array.from({ length: lines }, (_, line) => line.toString(36).padStart(6)).join("\n");
}

const text = (path: string, content: string) => ({ path, source: { content } });

/**
 * @param graph content of onnx/model.onnx in the second version.
 * @param folder where to put it; one of this test's own when left out.
 */
export async function servedRegistry(graph = "second graph", folder?: string): Promise<ServedRegistry> {
  const registry = await openRegistry(join(folder ?? (await temporaryFolder()), "registry"), { create: true });
  const shared = [text("config.json", '{"model_type":"bert"}'), text("tokenizer.json", '{"version":"1.0"}')];
  const publish = (name: string, files: { path: string; source: { content: string } }[], report?: string) =>
    registry.publishVersion({
      name,
      alias: "latest",
      files: [...shared, ...files],
      config: { descriptor: { name }, config: { format: "onnx" } },
      reason: "publish test",
      ...(report === undefined
        ? {}
        : { referrers: [{ artifactType: "application/vnd.rerank-tune.verify-report.v1+json", content: report }] }),
    });
  const first = await publish("reranker", [text("onnx/model.onnx", "first graph"), text("README.md", "# one")]);
  const report = JSON.stringify({
    outcome: "passed",
    machine: { cpu: "<script>alert(1)</script>", cores: 2 },
    variants: [
      { name: "fp32", bytes: 12, quality: { "ndcg@10": 0.5 } },
      { name: "int8", bytes: 6, quality: { "ndcg@10": 0.25 } },
    ],
  });
  const second = await publish(
    "reranker",
    [
      text("onnx/model.onnx", graph),
      text("onnx/model.onnx_data", "external weights"),
      text("README.md", CARD),
      text("odd/naïve name+100%.txt", "odd"),
    ],
    report,
  );
  const int8 = await publish("reranker-int8", [text("onnx/model.onnx", "int8 graph")]);
  return { registry, first, second, int8 };
}
