// A lineage as text that Mermaid or Graphviz draws. Pure.
import type { Lineage, LineageNode } from "../registry/index.js";

/** https://mermaid.js.org/syntax/flowchart.html */
export function lineageMermaid(graph: Lineage): string {
  const ids = numbered(graph);
  const nodes = graph.nodes.map((node) => `  ${ids.get(node.id)}["${words(node, "<br/>")}"]`);
  const edges = graph.edges.map(({ from, to, how }) => `  ${ids.get(from)} -->|${plain(how)}| ${ids.get(to)}`);
  return ["flowchart TD", ...nodes, ...edges].join("\n");
}

/** https://graphviz.org/doc/info/lang.html */
export function lineageDot(graph: Lineage): string {
  const ids = numbered(graph);
  const nodes = graph.nodes.map((node) => `  ${ids.get(node.id)} [shape=box, label="${words(node, "\\n")}"];`);
  const edges = graph.edges.map(({ from, to, how }) => `  ${ids.get(from)} -> ${ids.get(to)} [label="${plain(how)}"];`);
  return ["digraph lineage {", ...nodes, ...edges, "}"].join("\n");
}

/** Identifiers that both languages take. */
function numbered({ nodes }: Lineage): Map<string, string> {
  return new Map(nodes.map(({ id }, at) => [id, `n${at}`]));
}

function words({ kind, label, sha256 }: LineageNode, lineBreak: string): string {
  return [kind, plain(label), ...(sha256 === undefined ? [] : [sha256.slice(0, 12)])].join(lineBreak);
}

/** Neither language may read anything in a label but letters, digits and what stands in paths. */
function plain(text: string): string {
  return text.replace(/[^\p{L}\p{N} ./:@_-]/gu, " ");
}
