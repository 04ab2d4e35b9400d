// Small versions for tests of the registry: a few files, and reports of verify that pass or do not.
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson } from "../../src/artifacts/hash.js";
import { openRegistry, type PublishRequest, REPORT_TYPE, type Registry } from "../../src/registry/index.js";
import { temporaryFolder } from "./temporary-folder.js";

export async function emptyRegistry(): Promise<Registry> {
  return await openRegistry(join(await temporaryFolder(), "registry"), { create: true });
}

/** A version of one graph and its card. */
export function request(content: string, more: Partial<PublishRequest> = {}): PublishRequest {
  return {
    name: "reranker",
    alias: "latest",
    files: [
      { path: "README.md", source: { content: "# card" } },
      { path: "onnx/model.onnx", source: { content } },
    ],
    config: { descriptor: { name: "reranker" }, config: { precision: "float32" } },
    ...more,
  };
}

type Outcome = "passed" | "failed" | "inconclusive";

/** What decides in a report of verify. */
export function report(outcomes: Record<string, Outcome>, more: Record<string, unknown> = {}): unknown {
  const variants = Object.entries(outcomes).map(([name, outcome]) => ({
    name,
    provider: "cpu",
    outcome,
    gates: [{ gate: "ndcg_max_drop", outcome, measured: -0.02, limit: -0.005, detail: "" }],
    quality: { "ndcg@10": 0.5, "mrr@10": 0.4, "recall@5": 0.7, queries: 9 },
  }));
  return { outcome: "passed", verdict: { outcome: "improved", guards: [] }, variants, ...more };
}

/** The report as it travels with a version. */
export function reporting(content: unknown): Pick<PublishRequest, "referrers"> {
  return { referrers: [{ artifactType: REPORT_TYPE, content: canonicalJson(content) }] };
}

/** Overwrites a frozen file, as frozen. */
export async function overwrite(path: string, content: string | Buffer): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, content);
  await chmod(path, 0o444);
}
