// The registry in a browser: all models, and one version with its files, card and reports. One HTML text each, nothing loaded, no script.
import { type Content, html, type Markup, trusted } from "../../page/markup.js";
import { time } from "../../page/numbers.js";
import { type CatalogModel, pointing, revisionOf } from "../../registry/index.js";
import { cardOf, textField } from "../card.js";
import { type Exchange, sendText } from "../exchange.js";
import type { Library } from "../library.js";
import { linkTo } from "./links.js";
import { POLICY, STYLE } from "./style.js";
import { number, tableSection, word } from "./table.js";
import { versionSections } from "./version.js";

/** Whether a browser asks, and not a program that takes anything. */
export const wantsPage = ({ request }: Exchange): boolean => request.headers.accept?.includes("text/html") === true;

export async function sendHome(library: Library, exchange: Exchange): Promise<void> {
  const models = [...(await library.catalog.models()).values()];
  const items: Markup[] = [];
  for (const model of models) items.push(await modelItem(library, model));
  const list =
    models.length === 0
      ? html`<p class="when">Nothing is published here yet.</p>`
      : html`<ul class="models">${items}</ul>`;
  sendPage(
    exchange,
    200,
    "Models",
    html`<header><p class="kind">Registry</p><h1>Models</h1><p class="when">${models.length} ${models.length === 1 ? "model" : "models"}, read-only</p></header>
${list}`,
  );
}

async function modelItem(library: Library, model: CatalogModel): Promise<Markup> {
  const { name, aliases, versions } = model;
  const newest = versions.at(-1);
  const stored =
    newest === undefined ? undefined : await library.catalog.storedAt(model.name, newest).catch(() => undefined);
  return html`<li><h2><a href="${linkTo(library, name)}">${library.idOf(name)}</a></h2>
<p>${versions.length} ${versions.length === 1 ? "version" : "versions"}${stored === undefined ? undefined : `, the newest of ${time(stored.toISOString())}`}</p>
<p>${Object.keys(aliases)
    .sort()
    .map((alias) => html`<span class="tag">${alias}</span>`)}</p></li>
`;
}

/** @param revision undefined shows what `main` means, or the newest where no alias is. @throws Refusal RepoNotFound, RevisionNotFound */
export async function sendModelPage(
  library: Library,
  exchange: Exchange,
  name: string,
  revision: string | undefined,
): Promise<void> {
  const model = await library.model(name);
  const fallback = model.aliases.main ?? model.aliases.latest ?? model.versions.at(-1) ?? "main";
  const version = await library.version(name, revision ?? fallback);
  const card = await cardOf(version);
  const kind = card === undefined ? undefined : textField(card, "pipeline_tag");
  const id = library.idOf(name);
  sendPage(
    exchange,
    200,
    id,
    html`<nav class="trail"><a href="/">Models</a></nav>
<header><p class="kind">${kind ?? "Model"}</p><h1>${id}</h1></header>
${await versionSections(library, exchange, version, card)}
${versionsSection(library, model, version.digest)}
${await historySection(library, name)}`,
  );
}

export function sendRefusalPage(
  exchange: Exchange,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>>,
): void {
  sendPage(
    exchange,
    status,
    "Not shown",
    html`<nav class="trail"><a href="/">Models</a></nav><header><p class="kind">${status}</p><h1>${message}</h1></header>`,
    headers,
  );
}

function versionsSection(library: Library, { name, aliases, versions }: CatalogModel, current: string): Markup {
  const rows = [...versions].reverse().map((digest): Content => {
    const revision = revisionOf(digest);
    const label = digest === current ? "this one" : undefined;
    return html`<tr><th scope="row"><a href="${linkTo(library, name, "tree", revision)}"><code>${revision.slice(0, 12)}</code></a></th><td class="word">${pointing(aliases, digest).map((alias) => html`<span class="tag">${alias}</span>`)}</td><td class="word">${label}</td></tr>`;
  });
  return tableSection("Versions", [number("revision"), word("aliases"), number("")], rows);
}

/** Who moved an alias stays in the registry's own log: names of people and machines are not for every reader. */
async function historySection(library: Library, name: string): Promise<Markup | undefined> {
  const moves = await library.catalog.history(name);
  if (moves.length === 0) return undefined;
  const short = (digest: string | null): string => (digest === null ? "" : revisionOf(digest).slice(0, 12));
  const rows = moves
    .slice(0, 50)
    .map(
      ({ time: at, alias, from, to, reason }): Content =>
        html`<tr><th scope="row">${time(at)}</th><td class="word">${alias}</td><td class="word"><code>${short(from)}</code></td><td class="word"><code>${short(to)}</code></td><td class="long">${reason}</td></tr>`,
    );
  return tableSection(
    "History of aliases",
    [number("when"), word("alias"), word("from"), word("to"), word("why")],
    rows,
  );
}

function sendPage(
  exchange: Exchange,
  status: number,
  title: string,
  content: Markup,
  headers: Readonly<Record<string, string>> = {},
): void {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · rerank-tune registry</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
${content}
<footer>Served by rerank-tune, read-only.</footer>
</main>
</body>
</html>
`;
  sendText(exchange, status, "text/html; charset=utf-8", page.markup, {
    ...headers,
    "Content-Security-Policy": POLICY,
  });
}
