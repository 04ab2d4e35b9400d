// `registry diff|lineage`: what differs between two versions, and where one comes from.
import type { Lineage, LineageNode, VersionDiff } from "../registry/index.js";
import { percent, plural, size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { lineageDot, lineageMermaid } from "./lineage-drawings.js";
import { openLocal, type RegistryFlags } from "./local-registry.js";

export interface LineageFlags extends RegistryFlags {
  as: "tree" | "mermaid" | "dot";
}

/** Names of tensors and lines of cards beyond this many are counted, not listed; --json has them all. */
const LISTED = 8;

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT */
export async function diffInRegistry(left: string, right: string, flags: RegistryFlags): Promise<Renderable> {
  const diff = await (await openLocal(flags)).diff(left, right);
  return { data: diff, essential: diff.equal ? "equal" : "different", text: () => diffText(diff) };
}

function diffText(diff: VersionDiff): string {
  const title = `- ${diff.left}\n+ ${diff.right}`;
  if (diff.equal) return `${title}\n\nthe same version`;
  const sections = [filesText(diff), tensorsText(diff), metricsText(diff), latencyText(diff), cardText(diff)];
  return [title, ...sections.filter((text) => text !== "")].join("\n\n");
}

function filesText({ files }: VersionDiff): string {
  const { added, removed, changed, same } = files;
  const rows = [
    ...removed.map(({ path, bytes }) => [`  - ${path}`, size(bytes), ""]),
    ...added.map(({ path, bytes }) => [`  + ${path}`, "", size(bytes)]),
    ...changed.map(({ path, left_bytes, right_bytes }) => [`  ~ ${path}`, size(left_bytes), size(right_bytes)]),
  ];
  return ["files", ...columns(rows), `  ${plural(same, "file")} the same`].join("\n");
}

function tensorsText({ tensors }: VersionDiff): string {
  if (tensors.length === 0) return "";
  const blocks = tensors.flatMap((diff) => {
    if (diff.problem !== undefined) return [`  ${diff.file}: ${diff.problem}`];
    const { added, removed, reshaped, changed, equal, not_compared } = diff;
    const skipped = not_compared === 0 ? "" : `, ${not_compared} not compared`;
    return [
      `  ${diff.file}`,
      `    ${equal} equal, ${changed.length} changed, ${reshaped.length} of another form, ${added.length} new, ${removed.length} gone${skipped}`,
      ...short(reshaped.map(({ name, left, right }) => `    ~ ${name}  ${left} -> ${right}`)),
      ...short(removed.map((name) => `    - ${name}`)),
      ...short(added.map((name) => `    + ${name}`)),
    ];
  });
  return ["tensors", ...blocks].join("\n");
}

function metricsText({ metrics, comparable }: VersionDiff): string {
  if (metrics.length === 0) return "quality\n  neither carries a report of verify";
  const rows = metrics
    .filter(({ metric }) => metric === "ndcg@10")
    .map(({ system, figure: { left, right, difference } }) => [
      `  ${system.replace("_", " ")}`,
      left === null ? "-" : percent(left),
      right === null ? "-" : percent(right),
      difference === null ? "" : `${difference < 0 ? "" : "+"}${percent(difference)}`,
    ]);
  const note =
    comparable.test_split === false ? "  measured on different test splits: not to be held against each other" : "";
  return [...columns([["quality", "NDCG@10", "", ""], ...rows]), ...(note === "" ? [] : [note])].join("\n");
}

function latencyText({ latency, comparable }: VersionDiff): string {
  if (latency.length === 0) return "";
  const cell = (value: number | null) => (value === null ? "-" : value.toFixed(1));
  const rows = latency.map(({ variant, provider, candidates, p50_ms, p95_ms }) => [
    `  ${variant} on ${provider}`,
    String(candidates),
    `${cell(p50_ms.left)} -> ${cell(p50_ms.right)}`,
    `${cell(p95_ms.left)} -> ${cell(p95_ms.right)}`,
  ]);
  const note = comparable.machine === false ? ["  measured on different machines"] : [];
  return [...columns([["latency", "candidates", "p50 ms", "p95 ms"], ...rows]), ...note].join("\n");
}

function cardText({ card }: VersionDiff): string {
  if (card.added.length + card.removed.length === 0) return "";
  const cut = (line: string) => (line.length > 76 ? `${line.slice(0, 75)}…` : line);
  const lines = [...card.removed.map((line) => `  - ${line}`), ...card.added.map((line) => `  + ${line}`)];
  return ["card", ...short(lines.map(cut), 3 * LISTED)].join("\n");
}

function short(lines: readonly string[], most = LISTED): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most), `    and ${lines.length - most} more; see --json`];
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT */
export async function lineageInRegistry(model: string, flags: LineageFlags): Promise<Renderable> {
  const graph = await (await openLocal(flags)).lineage(model);
  const draw = { tree: treeText, mermaid: lineageMermaid, dot: lineageDot }[flags.as];
  return { data: graph, essential: graph.version, text: () => draw(graph) };
}

/** Origins below what was made from them; what stands in several places is drawn once and named again. */
function treeText(graph: Lineage): string {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const drawn = new Set<string>();
  const lines: string[] = [];
  const draw = (id: string, indent: string, how: string): void => {
    const node = nodes.get(id);
    if (node === undefined) return;
    const again = drawn.has(id);
    drawn.add(id);
    lines.push(`${indent}${how === "" ? "" : `${how}  `}${nodeText(node)}${again ? "  (above)" : ""}`);
    if (again) return;
    if (node.facts !== undefined) lines.push(...factLines(node, `${indent}    `));
    for (const edge of graph.edges.filter(({ to }) => to === id)) draw(edge.from, `${indent}  `, `${edge.how} <-`);
  };
  draw("version", "", "");
  const later = graph.edges.filter(({ from, to }) => !drawn.has(to) && from !== to);
  if (later.length > 0) lines.push("", "made of it, or of the same");
  for (const { to, how } of later) {
    const node = nodes.get(to);
    if (node !== undefined) lines.push(`  ${how} -> ${nodeText(node)}`);
  }
  return lines.join("\n");
}

function nodeText({ kind, label, sha256 }: LineageNode): string {
  return `${kind === "graph" || kind === "data" ? label : `${kind} ${label}`}${sha256 === undefined ? "" : `  ${sha256.slice(0, 12)}`}`;
}

function factLines({ facts = {} }: LineageNode, indent: string): string[] {
  const lines: string[] = [];
  for (const [name, value] of Object.entries(facts)) {
    const fact = `${name} ${typeof value === "string" && /^[0-9a-f]{40,}$/.test(value) ? value.slice(0, 12) : value}`;
    const last = lines.at(-1);
    if (last !== undefined && last.length + fact.length + 2 < 80) lines[lines.length - 1] = `${last}, ${fact}`;
    else lines.push(`${indent}${fact}`);
  }
  return lines;
}
