// `/api/models`: what clients of the Hub ask before they download. Only facts of the registry; counts that it does not have are zero.
import { jsonOf } from "../artifacts/json-value.js";
import { type CatalogFile, digestOf, gitIdOf, lfsPointer, revisionOf } from "../registry/index.js";
import { cardOf, listField, textField } from "./card.js";
import { type Exchange, notFound, originOf, readBody, sendJson } from "./exchange.js";
import type { FoundVersion, Library } from "./library.js";
import { allEntries, entriesIn, type TreeEntry } from "./tree.js";

const PAGE = 1000;

/** Models by name, some at a time. */
export async function sendModels(library: Library, exchange: Exchange): Promise<void> {
  const query = exchange.url.searchParams;
  const [search, author] = ["search", "author"].map((name) => query.get(name)?.toLowerCase());
  const models = [...(await library.catalog.models()).values()].filter(
    ({ name }) =>
      (search === undefined || library.idOf(name).toLowerCase().includes(search)) &&
      (author === undefined || author === library.organization.toLowerCase()),
  );
  const { shown, headers } = pageOf(exchange, models);
  const infos: unknown[] = [];
  for (const { name, versions, ...model } of shown) {
    const digest = digestOf({ name, versions, ...model }, "main") ?? versions.at(-1);
    if (digest !== undefined) infos.push(await infoOf(library, await library.version(name, digest)));
  }
  sendJson(exchange, infos, headers);
}

export async function sendInfo(library: Library, exchange: Exchange, version: FoundVersion): Promise<void> {
  const siblings = version.files.map((file) => ({
    rfilename: file.path,
    size: file.bytes,
    blobId: gitIdOf(file),
    lfs: { sha256: file.sha256, size: file.bytes, pointerSize: lfsPointer(file).length },
  }));
  sendJson(exchange, { ...(await infoOf(library, version)), siblings }, { "X-Repo-Commit": version.revision });
}

async function infoOf(library: Library, version: FoundVersion): Promise<Record<string, unknown>> {
  const { model, digest, revision } = version;
  const id = library.idOf(model.name);
  const card = await cardOf(version);
  const stored = (await library.catalog.storedAt(model.name, digest)).toISOString();
  const pipeline = card === undefined ? undefined : textField(card, "pipeline_tag");
  const libraryName = card === undefined ? undefined : textField(card, "library_name");
  return {
    _id: revision.slice(0, 24),
    id,
    modelId: id,
    author: library.organization,
    sha: revision,
    digest,
    lastModified: stored,
    createdAt: stored,
    private: false,
    gated: false,
    disabled: false,
    downloads: 0,
    likes: 0,
    tags: card === undefined ? [] : listField(card, "tags"),
    ...(pipeline === undefined ? {} : { pipeline_tag: pipeline }),
    ...(libraryName === undefined ? {} : { library_name: libraryName }),
    ...(card === undefined ? {} : { cardData: card.metadata }),
  };
}

/** @param path folder to list; empty for the whole version. */
export async function sendTree(
  library: Library,
  exchange: Exchange,
  version: FoundVersion,
  path: string,
): Promise<void> {
  const query = exchange.url.searchParams;
  const entries = entriesIn(version.files, path, query.get("recursive") === "true");
  if (entries === undefined) throw notFound("EntryNotFound", "The version has no such folder.", version.revision);
  const { shown, headers } = pageOf(exchange, entries);
  const replies = await described(library, version, shown, isTrue(query.get("expand")));
  sendJson(exchange, replies, { ...headers, "X-Repo-Commit": version.revision });
}

/** Entries for the paths of the body, which is JSON or a form; what is not there is left out, as the Hub does. */
export async function sendPaths(library: Library, exchange: Exchange, version: FoundVersion): Promise<void> {
  const body = await readBody(exchange);
  const { paths, expand } = exchange.request.headers["content-type"]?.startsWith("application/json")
    ? fromJson(body)
    : fromForm(body);
  const wanted = new Set(paths);
  const entries = allEntries(version.files).filter((entry) => wanted.has(entry.path));
  sendJson(exchange, await described(library, version, entries, expand), { "X-Repo-Commit": version.revision });
}

/** Aliases are branches; a version without alias is reached by its revision. */
export async function sendRefs(library: Library, exchange: Exchange, name: string): Promise<void> {
  const model = await library.model(name);
  const main = digestOf(model, "main");
  const aliases = Object.entries(model.aliases).filter(([alias]) => alias !== "main");
  const branches = [...(main === undefined ? [] : [["main", main] as const]), ...aliases].map(([alias, digest]) => ({
    name: alias,
    ref: `refs/heads/${alias}`,
    targetCommit: revisionOf(digest),
  }));
  sendJson(exchange, { branches, tags: [], converts: [] });
}

async function described(
  library: Library,
  { model, digest, revision }: FoundVersion,
  entries: readonly TreeEntry[],
  expand: boolean,
): Promise<unknown[]> {
  const date = expand ? (await library.catalog.storedAt(model.name, digest)).toISOString() : "";
  const commit = expand ? { lastCommit: { id: revision, title: "publish", date } } : {};
  return entries.map(({ path, id, file }) =>
    file === undefined
      ? { type: "directory", oid: id, size: 0, path, ...commit }
      : { type: "file", oid: id, size: file.bytes, path, lfs: lfsOf(file), ...commit },
  );
}

const lfsOf = (file: CatalogFile) => ({ oid: file.sha256, size: file.bytes, pointerSize: lfsPointer(file).length });

/** The page that `limit` and `cursor` ask for, and the link to the next one. */
function pageOf<Item>(exchange: Exchange, items: readonly Item[]): { shown: Item[]; headers: Record<string, string> } {
  const { searchParams, pathname } = exchange.url;
  const number = (name: string, otherwise: number) => {
    const value = searchParams.get(name);
    return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : otherwise;
  };
  const limit = Math.min(PAGE, Math.max(1, number("limit", PAGE)));
  const from = number("cursor", 0);
  const shown = items.slice(from, from + limit);
  if (from + limit >= items.length) return { shown, headers: {} };
  const query = new URLSearchParams(searchParams);
  query.set("limit", String(limit));
  query.set("cursor", String(from + limit));
  return { shown, headers: { Link: `<${originOf(exchange)}${pathname}?${query}>; rel="next"` } };
}

const isTrue = (value: unknown): boolean => ["true", "1", "True"].includes(String(value));

function fromForm(body: string): { paths: string[]; expand: boolean } {
  const form = new URLSearchParams(body);
  return { paths: form.getAll("paths"), expand: isTrue(form.get("expand")) };
}

function fromJson(body: string): { paths: string[]; expand: boolean } {
  const value = jsonOf(body) as { paths?: unknown; expand?: unknown } | undefined;
  const paths = Array.isArray(value?.paths) ? value.paths : [value?.paths];
  return { paths: paths.filter((path): path is string => typeof path === "string"), expand: value?.expand === true };
}
