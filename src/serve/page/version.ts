// One version on a page: how to get it, its card, its files with digests, and its reports as tables.
import { jsonOf } from "../../artifacts/json-value.js";
import { html, type Markup } from "../../page/markup.js";
import { size, time } from "../../page/numbers.js";
import { type Evidence, evidenceOf, pointing } from "../../registry/index.js";
import { type Card, listField, textField } from "../card.js";
import { type Exchange, originOf } from "../exchange.js";
import type { FoundVersion, Library } from "../library.js";
import { factTables } from "./facts.js";
import { lineageSection } from "./lineage.js";
import { linkTo } from "./links.js";
import { markdownElements } from "./markdown.js";
import { number, tableSection, word } from "./table.js";

/** @param card of the same version. */
export async function versionSections(
  library: Library,
  exchange: Exchange,
  version: FoundVersion,
  card: Card | undefined,
): Promise<Markup> {
  const { model, digest, revision, files } = version;
  const frozen = await library.registry.frozen(`${model.name}@${digest}`);
  const evidence = await evidenceOf(frozen);
  const aliases = pointing(model.aliases, digest);
  const stored = await library.catalog.storedAt(model.name, digest);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const license = card === undefined ? undefined : textField(card, "license");
  const languages = card === undefined ? [] : listField(card, "language");
  return html`<dl class="facts">
<dt>Revision</dt><dd><code>${revision}</code></dd>
<dt>Digest</dt><dd><code>${digest}</code></dd>
<dt>Aliases</dt><dd>${aliases.length === 0 ? "none" : aliases.map((alias) => html`<span class="tag">${alias}</span>`)}</dd>
<dt>Stored</dt><dd>${time(stored.toISOString())}</dd>
<dt>Size</dt><dd>${size(bytes)} in ${files.length} files</dd>
${license !== undefined && html`<dt>Licence</dt><dd>${license}</dd>`}
${languages.length > 0 && html`<dt>Languages</dt><dd>${languages.join(", ")}</dd>`}
</dl>
${usageSection(library, exchange, version)}
${card !== undefined && html`<section><h2>Card</h2><div class="card">${markdownElements(card.text)}</div></section>`}
${filesSection(library, version)}
${lineageSection(await library.registry.lineageOf(frozen, evidence))}
${evidenceSection(evidence)}`;
}

/** Always with the whole revision: an alias may move, and caches of clients do not look again. */
function usageSection(library: Library, exchange: Exchange, { model, revision }: FoundVersion): Markup {
  const origin = originOf(exchange);
  const id = library.idOf(model.name);
  const commands = [
    `HF_ENDPOINT=${origin} hf download ${id} --revision ${revision}`,
    `HF_ENDPOINT=${origin} text-embeddings-router --model-id ${id} --revision ${revision}`,
  ];
  return html`<section><h2>Use</h2><pre>${commands.map((command) => html`${command}\n`)}</pre></section>`;
}

function filesSection(library: Library, { model, revision, files }: FoundVersion): Markup {
  const rows = files.map(({ path, bytes, sha256 }) => {
    const address = linkTo(library, model.name, "resolve", revision, ...path.split("/"));
    return html`<tr><th scope="row"><a href="${address}">${path}</a></th><td>${size(bytes)}</td><td class="word"><code>${sha256}</code></td></tr>`;
  });
  return tableSection("Files", [word("path"), number("size"), word("sha256")], rows);
}

function evidenceSection(found: readonly Evidence[]): Markup | undefined {
  if (found.length === 0) return undefined;
  return html`<section><h2>Reports and evidence</h2>${found.map(evidenceBlock)}</section>`;
}

/** Whose signature it is, only a reader with the signer's key can tell; what is long and for programs stays folded. */
function evidenceBlock({ kind, of, state, reason, digest, content }: Evidence): Markup {
  const title = of === null ? kind : `${kind} (${of})`;
  const isOpen = kind === "report" || kind === "gates";
  const summary = html`<summary>${title}, ${reason === null ? state : `${state}: ${reason}`} <code>${digest.slice(7, 19)}</code></summary>`;
  const tables = factTables(jsonOf(content) ?? content);
  return isOpen ? html`<details open>${summary}\n${tables}</details>` : html`<details>${summary}\n${tables}</details>`;
}
