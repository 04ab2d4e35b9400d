// Where a version comes from and what came of it: base model, data, recipe, tools, weights, graphs, reports. From the package's own manifest; no user text.
import { z } from "zod";
import { canonicalJson, hashText } from "../artifacts/hash.js";
import { jsonOf } from "../artifacts/json-value.js";
import { EXTERNAL_DATA, MODEL_FILES, type PackageManifest, packageManifestSchema } from "../model-folder/layout.js";
import { BlobStore } from "./blobs.js";
import { FILE_PATH, type OciIndex } from "./format.js";
import { type FrozenVersion, frozenVersion } from "./frozen.js";
import { versionEntries } from "./index-file.js";
import { readManifest } from "./read.js";

export const NODE_KINDS = ["version", "base", "data", "recipe", "tools", "weights", "graph", "report"] as const;

export interface LineageNode {
  /** Unique in the graph. */
  id: string;
  kind: (typeof NODE_KINDS)[number];
  /** Short words: a name, a kind of file, a version. */
  label: string;
  /** sha256 (hex) of what it is, where it has one. */
  sha256?: string;
  /** Figures and versions; no text of the user's. */
  facts?: Record<string, string | number>;
}

export interface Lineage {
  /** `name@sha256:<hex>`. */
  version: string;
  nodes: LineageNode[];
  /** `to` was made from `from`. */
  edges: { from: string; to: string; how: string }[];
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT */
export async function lineage(root: string, index: OciIndex, reference: string): Promise<Lineage> {
  const store = new BlobStore(root);
  const version = await frozenVersion(root, index, reference);
  const graph = new Graph(version.version);
  graph.node({ id: "version", kind: "version", label: version.name, sha256: version.digest.slice(7) });
  const file = version.files.find(({ path }) => path === MODEL_FILES.manifest);
  const text = file === undefined ? "" : (await store.read(`sha256:${file.sha256}`)).toString("utf8");
  const manifest = packageManifestSchema.safeParse(jsonOf(text)).data;
  if (manifest !== undefined) addOrigins(graph, manifest, version);
  for (const [at, { descriptor, manifest: report }] of version.referrers.entries()) {
    const [, kind = report.artifactType] =
      /^application\/vnd\.(?:[\w-]+\.)*([\w-]+?)(?:\.v\d+)?\+/.exec(report.artifactType) ?? [];
    graph.node({ id: `report.${at + 1}`, kind: "report", label: kind, sha256: descriptor.digest.slice(7) });
    graph.edge("version", `report.${at + 1}`, "about");
  }
  await addSiblings(graph, store, index, version);
  return graph;
}

class Graph implements Lineage {
  readonly nodes: LineageNode[] = [];
  readonly edges: Lineage["edges"] = [];

  constructor(readonly version: string) {}

  node(node: LineageNode): void {
    this.nodes.push(node);
  }

  edge(from: string, to: string, how: string): void {
    this.edges.push({ from, to, how });
  }
}

function addOrigins(graph: Graph, manifest: PackageManifest, version: FrozenVersion): void {
  graph.node({ id: "base", kind: "base", label: manifest.base_model, facts: { type: manifest.model_type } });
  const recipe = hashText(canonicalJson(manifest.recipe));
  graph.node({
    id: "recipe",
    kind: "recipe",
    label: "recipe",
    sha256: recipe,
    facts: numbersOf(manifest.recipe.train),
  });
  const tools = { "rerank-tune": manifest.rerank_tune, ...manifest.versions };
  graph.node({ id: "tools", kind: "tools", label: "tool chain", facts: tools });
  const splits = dataSchema.safeParse(manifest.data).data;
  for (const [split, sha256] of Object.entries(splits?.digests ?? {})) {
    const [queries, pairs] = [splits?.queries[split], splits?.pairs[split]];
    const facts = { ...(queries === undefined ? {} : { queries }), ...(pairs === undefined ? {} : { pairs }) };
    graph.node({ id: `data.${split}`, kind: "data", label: `${split} split`, sha256, facts });
  }
  addFiles(graph, manifest, version);
}

const counts = z.record(z.string(), z.number()).default({});
const dataSchema = z.object({ digests: z.record(z.string(), z.string()).default({}), queries: counts, pairs: counts });

/** What training left, and the graphs made from it. */
function addFiles(graph: Graph, manifest: PackageManifest, version: FrozenVersion): void {
  const digestOf = new Map(version.files.map(({ path, sha256 }) => [path, sha256]));
  const hash = (path: string) => (digestOf.has(path) ? { sha256: digestOf.get(path) as string } : {});
  graph.node({
    id: "weights",
    kind: "weights",
    label: MODEL_FILES.weights,
    ...hash(MODEL_FILES.weights),
    facts: numbersOf(manifest.training),
  });
  for (const from of ["base", "recipe", "tools"]) graph.edge(from, "weights", "trained");
  for (const { id } of graph.nodes.filter(({ kind }) => kind === "data"))
    if (id !== "data.test") graph.edge(id, "weights", id === "data.dev" ? "chosen on" : "trained");
  for (const { name, files } of manifest.variants) {
    const path = files.find((file) => file.endsWith(".onnx")) ?? "";
    const beside: Record<string, string> = files.includes(EXTERNAL_DATA) ? { "weights beside it": EXTERNAL_DATA } : {};
    graph.node({ id: `graph.${name}`, kind: "graph", label: `${name}  ${path}`, ...hash(path), facts: beside });
    if (name === "fp32") graph.edge("weights", "graph.fp32", "exported");
    else graph.edge("graph.fp32", `graph.${name}`, name === "int8" ? "quantized" : "converted");
    graph.edge(`graph.${name}`, "version", "packaged");
  }
  graph.edge("weights", "version", "packaged");
  if (graph.nodes.some(({ id }) => id === "data.test")) graph.edge("data.test", "version", "verified on");
}

/** Numbers and switches alone: texts in a recipe can be the user's. */
function numbersOf(section: unknown): Record<string, number> {
  const entries = Object.entries(typeof section === "object" && section !== null ? section : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}

/** Versions that hold one of its graphs or weights, such as the folder for TEI: what was made of it, or of the same. */
async function addSiblings(graph: Graph, store: BlobStore, index: OciIndex, version: FrozenVersion): Promise<void> {
  const own = new Map(
    version.files
      .filter(({ path }) => /\.(onnx|onnx_data|safetensors)$/.test(path))
      .map(({ sha256, path }) => [sha256, path]),
  );
  for (const { name, descriptor } of versionEntries(index)) {
    const id = `${name}@${descriptor.digest}`;
    if (id === version.version) continue;
    const { layers } = await readManifest(store, descriptor.digest);
    const shared = layers.filter(({ digest }) => own.has(digest.slice(7)));
    if (shared.length === 0) continue;
    graph.node({
      id,
      kind: "version",
      label: name,
      sha256: descriptor.digest.slice(7),
      facts: { "shared files": shared.length },
    });
    for (const { digest, annotations } of shared)
      graph.edge(holder(graph, digest.slice(7)), id, `same bytes as ${annotations?.[FILE_PATH] ?? ""}`);
  }
}

function holder(graph: Graph, sha256: string): string {
  return (
    graph.nodes.find((node) => node.sha256 === sha256 && (node.kind === "graph" || node.kind === "weights"))?.id ??
    "version"
  );
}
