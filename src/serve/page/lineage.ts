// What a version was made from, and what was made of it, as a table of steps; `registry lineage` draws the same graph.
import { type Content, html, type Markup } from "../../page/markup.js";
import type { Lineage, LineageNode } from "../../registry/index.js";
import { tableSection, word } from "./table.js";

/** Reports, signatures and statements have a section of their own. */
export function lineageSection({ nodes, edges }: Lineage): Markup | undefined {
  const named = new Map(nodes.map((node) => [node.id, node]));
  const rows = edges.flatMap(({ from, to, how }): Content[] => {
    const [source, result] = [named.get(from), named.get(to)];
    if (source === undefined || result === undefined || result.kind === "report") return [];
    return [
      html`<tr><th scope="row">${nodeName(result)}</th><td class="word">${how}</td><td class="long">${nodeName(source)}</td></tr>`,
    ];
  });
  if (rows.length === 0) return undefined;
  return tableSection("Lineage", [word("what"), word("how"), word("from")], rows);
}

function nodeName({ kind, label, sha256 }: LineageNode): Markup {
  const short = sha256 === undefined ? undefined : html` <code>${sha256.slice(0, 12)}</code>`;
  return html`${kind} ${label}${short}`;
}
