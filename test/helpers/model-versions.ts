// Versions of models for tests that move them about: sound graphs with weights of any size, configs and reports, the same ones for the same seed.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { openRegistry, type PublishedFile, type PublishedVersion, type Referrer } from "../../src/registry/index.js";
import { encodeOnnx, soundGraph } from "./onnx-writer.js";

/** Bytes that no compression makes smaller, the same ones for the same seed. */
export function noise(seed: string, bytes: number): string {
  const pieces: string[] = [];
  for (let count = 0, length = 0; length < bytes; count += 1) {
    const piece = createHash("sha512").update(`${seed} ${count}`).digest("base64");
    pieces.push(piece);
    length += piece.length;
  }
  return pieces.join("").slice(0, bytes);
}

export interface ModelVersion {
  name: string;
  alias: string;
  /** Files with so many bytes beside the usual ones. */
  weights: Record<string, number>;
  reports?: number;
}

/** Publishes a version whose graphs are sound, so that it passes every check on its way back. */
export async function publishModel(
  root: string,
  { name, alias, weights, reports = 1 }: ModelVersion,
): Promise<PublishedVersion> {
  const registry = await openRegistry(root, { create: true });
  const graph = `${root}.graph.onnx`;
  await writeFile(graph, encodeOnnx(soundGraph()));
  const text = (path: string, content: string): PublishedFile => ({ path, source: { content } });
  const files = [
    text("config.json", JSON.stringify({ model_type: "bert", name })),
    text("tokenizer.json", JSON.stringify({ shared: "by all of them" })),
    text("README.md", `# ${name}\n`),
    { path: "onnx/model.onnx", source: graph },
    ...Object.entries(weights).map(([path, bytes]) => text(path, noise(`${name} ${path}`, bytes))),
  ];
  const referrers = Array.from(
    { length: reports },
    (_, count): Referrer => ({
      artifactType: "application/vnd.rerank-tune.verify-report.v1+json",
      content: JSON.stringify({ name, count }),
    }),
  );
  return await registry.publishVersion({
    name,
    alias,
    files,
    referrers,
    config: { descriptor: { name }, config: { format: "onnx" } },
  });
}
