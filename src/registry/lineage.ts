// Where a version comes from and what came of it: base model, data, recipe, tools, weights, graphs, reports. From the package's own manifest; no user text.
import { z } from "zod";
import { canonicalJson, hashText } from "../artifacts/hash.js";
import { jsonOf } from "../artifacts/json-value.js";
import { MODEL_FILES, type PackageManifest, packageManifestSchema, VARIANT_FILES } from "../model-folder/layout.js";
import { BlobStore } from "./blobs.js";
import { type Evidence, evidenceOf } from "./evidence/states.js";
import type { OciIndex } from "./format.js";
import { type FrozenFile, type FrozenVersion, frozenVersion } from "./frozen.js";
import { versionEntries } from "./index-file.js";
import { filesOf, readManifest } from "./read.js";

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
  const version = await frozenVersion(root, index, reference);
  return await lineageOf(root, index, version, await evidenceOf(version));
}

/**
 * The same where version and evidence are at hand.
 * @throws RerankTuneError REGISTRY_CORRUPT
 */
export async function lineageOf(
  root: string,
  index: OciIndex,
  version: FrozenVersion,
  evidence: readonly Evidence[],
): Promise<Lineage> {
  const store = new BlobStore(root);
  const graph = new Graph(version.version);
  graph.node({ id: "version", kind: "version", label: version.name, sha256: version.digest.slice("sha256:".length) });
  const siblings = await siblingsOf(store, index, version);
  const origin = await originOf(store, version.files, siblings);
  if (origin !== undefined) addOrigins(graph, origin, new Set(version.files.map(({ sha256 }) => sha256)));
  for (const [at, { kind, of, digest }] of evidence.entries()) {
    const label = of === null ? kind : `${kind} (${of})`;
    graph.node({ id: `report.${at + 1}`, kind: "report", label, sha256: digest.slice("sha256:".length) });
    graph.edge("version", `report.${at + 1}`, "described by");
  }
  addSiblings(graph, siblings);
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

/**
 * The package's own account, or that of the version whose graph it holds, as for the folder for TEI.
 * @returns undefined where neither has one.
 */
async function originOf(
  store: BlobStore,
  files: readonly FrozenFile[],
  siblings: readonly Sibling[],
): Promise<PackageManifest | undefined> {
  const own = files.find(({ path }) => path === MODEL_FILES.manifest)?.sha256;
  for (const sha256 of [own, ...siblings.map(({ manifest }) => manifest)]) {
    if (sha256 === undefined) continue;
    const found = packageManifestSchema.safeParse(jsonOf((await store.read(`sha256:${sha256}`)).toString("utf8"))).data;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param own digests of the version's files: what is not among them led to it, but is not in it. */
function addOrigins(graph: Graph, manifest: PackageManifest, own: ReadonlySet<string>): void {
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
  addFiles(graph, manifest, own);
}

const counts = z.record(z.string(), z.number()).default({});
const dataSchema = z.object({ digests: z.record(z.string(), z.string()).default({}), queries: counts, pairs: counts });

/** What training left, and the graphs made from it. */
function addFiles(graph: Graph, manifest: PackageManifest, own: ReadonlySet<string>): void {
  const digestOf = new Map(manifest.files.map(({ path, sha256 }) => [path, sha256]));
  const add = (id: string, kind: "weights" | "graph", path: string, label: string): void => {
    const sha256 = digestOf.get(path);
    const facts = kind === "weights" ? { facts: numbersOf(manifest.training) } : {};
    graph.node({ id, kind, label, ...(sha256 === undefined ? {} : { sha256 }), ...facts });
    if (sha256 !== undefined && own.has(sha256)) graph.edge(id, "version", "packaged");
  };
  add("weights", "weights", MODEL_FILES.weights, MODEL_FILES.weights);
  for (const from of ["base", "recipe", "tools"]) graph.edge(from, "weights", "trained");
  for (const { id } of graph.nodes.filter(({ kind }) => kind === "data"))
    graph.edge(id, id === "data.test" ? "version" : "weights", HOW_DATA[id] ?? "trained");
  for (const { name } of manifest.variants) {
    const path = VARIANT_FILES[name];
    if (name !== "fp32" && !own.has(digestOf.get(path) ?? "")) continue;
    add(`graph.${name}`, "graph", path, `${name}  ${path}`);
    if (name === "fp32") graph.edge("weights", "graph.fp32", "exported");
    else graph.edge("graph.fp32", `graph.${name}`, name === "int8" ? "quantized" : "converted");
  }
}

const HOW_DATA: Record<string, string> = { "data.dev": "chosen on", "data.test": "verified on" };

/** Numbers and switches alone: texts in a recipe can be the user's. */
function numbersOf(section: unknown): Record<string, number> {
  const entries = Object.entries(typeof section === "object" && section !== null ? section : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}

interface Sibling {
  name: string;
  digest: string;
  shared: { sha256: string; path: string }[];
  /** sha256 (hex) of its account of itself. */
  manifest: string | undefined;
}

/** Versions that hold one of its graphs or weights, such as the folder for TEI: what was made of it, or of the same. */
async function siblingsOf(store: BlobStore, index: OciIndex, version: FrozenVersion): Promise<Sibling[]> {
  const weights = version.files.filter(({ path }) => /\.(onnx|onnx_data|safetensors)$/.test(path));
  const own = new Set(weights.map(({ sha256 }) => sha256));
  const found: Sibling[] = [];
  for (const { name, descriptor } of versionEntries(index)) {
    if (`${name}@${descriptor.digest}` === version.version) continue;
    const files = filesOf(await readManifest(store, descriptor.digest));
    const shared = files.filter(({ sha256 }) => own.has(sha256));
    const manifest = files.find(({ path }) => path === MODEL_FILES.manifest)?.sha256;
    if (shared.length > 0) found.push({ name, digest: descriptor.digest, shared, manifest });
  }
  return found;
}

function addSiblings(graph: Graph, siblings: readonly Sibling[]): void {
  for (const { name, digest, shared } of siblings) {
    const id = `${name}@${digest}`;
    graph.node({ id, kind: "version", label: name, sha256: digest.slice("sha256:".length) });
    for (const { sha256, path } of shared) graph.edge(holder(graph, sha256), id, `same bytes as ${path}`);
  }
}

function holder(graph: Graph, sha256: string): string {
  return (
    graph.nodes.find((node) => node.sha256 === sha256 && (node.kind === "graph" || node.kind === "weights"))?.id ??
    "version"
  );
}
