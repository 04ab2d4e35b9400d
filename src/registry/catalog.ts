// What a registry shows to readers that come often: models, aliases and files of versions. The index is read again only when it changed.
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { RerankTuneError } from "../errors.js";
import { BlobStore } from "./blobs.js";
import { type OciIndex, REFLOG_HEAD } from "./format.js";
import { allAliases, INDEX_FILE, readIndex, versionEntries } from "./index-file.js";
import { layerFiles } from "./pull.js";
import { readManifest } from "./read.js";
import { type ReflogLine, readReflog } from "./reflog.js";

export interface CatalogModel {
  name: string;
  /** Alias to digest. */
  aliases: Readonly<Record<string, string>>;
  /** Digests in the order of publication. */
  versions: readonly string[];
}

export interface CatalogFile {
  /** Path in the model folder, with forward slashes; proven to stay inside it. */
  path: string;
  bytes: number;
  /** Hex. */
  sha256: string;
  /** Absolute path of its bytes. */
  blob: string;
}

/** By name, in the order of names. */
export type Catalog = ReadonlyMap<string, CatalogModel>;

/** Manifests kept at once; one of a packaged model takes a few kilobytes. */
const KEPT_VERSIONS = 512;

/** The revision that clients of the Hub see for a version: the first 40 hex digits of its digest. */
export const revisionOf = (digest: string): string => digest.slice("sha256:".length, "sha256:".length + 40);

/**
 * The version that a revision means, as clients of the Hub write it: 40 hex digits, a whole digest with or without `sha256:`,
 * an alias, `refs/heads/<alias>`; `main` and `HEAD` mean `latest` unless there is an alias `main`.
 * Digits go before aliases, so that no alias can stand in for a pinned revision.
 */
export function digestOf(model: CatalogModel, revision: string): string | undefined {
  const digits = revision.replace(/^sha256:/, "");
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(digits))
    return model.versions.find((digest) => digest.startsWith(`sha256:${digits}`));
  const alias = revision.replace(/^refs\/heads\//, "");
  const own = Object.hasOwn(model.aliases, alias) ? model.aliases[alias] : undefined;
  return own ?? (alias === "main" || alias === "HEAD" ? model.aliases.latest : undefined);
}

/** Models of an index that have a version. */
export function catalogOf(index: OciIndex): Catalog {
  const aliases = allAliases(index);
  const models = new Map<string, { name: string; aliases: Record<string, string>; versions: string[] }>();
  for (const { name, descriptor } of versionEntries(index)) {
    const model = models.get(name) ?? { name, aliases: aliases.get(name) ?? {}, versions: [] };
    model.versions.push(descriptor.digest);
    models.set(name, model);
  }
  return new Map([...models].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** An index as it was last read. The log is read when it is first asked for: it is long, and most readers want files. */
interface Seen {
  state: string;
  catalog: Catalog;
  head: string | undefined;
  lines?: ReflogLine[];
}

/** One reader's way into a registry; lives as long as the reader. */
export class CatalogReader {
  private readonly store: BlobStore;
  private seen: Seen | undefined;
  private readonly files = new Map<string, readonly CatalogFile[]>();

  constructor(readonly root: string) {
    this.store = new BlobStore(root);
  }

  /** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT */
  async models(): Promise<Catalog> {
    return (await this.current()).catalog;
  }

  /** Files of a version, sorted by path. @throws RerankTuneError REGISTRY_CORRUPT when its manifest is damaged or a path leaves the folder. */
  async filesOf(digest: string): Promise<readonly CatalogFile[]> {
    const kept = this.files.get(digest);
    if (kept !== undefined) return kept;
    const manifest = await readManifest(this.store, digest);
    const files = layerFiles(manifest, digest).map((layer, index) => ({
      path: layer.path,
      bytes: manifest.layers[index]?.size ?? 0,
      sha256: layer.digest.slice("sha256:".length),
      blob: this.store.path(layer.digest),
    }));
    const oldest = this.files.keys().next();
    if (this.files.size >= KEPT_VERSIONS && oldest.done !== true) this.files.delete(oldest.value);
    this.files.set(digest, files);
    return files;
  }

  /** When the version came into this registry, by the log; by its file where the log says nothing of it. Only for display. */
  async storedAt(name: string, digest: string): Promise<Date> {
    const first = (await this.history(name)).findLast(({ to }) => to === digest);
    return first === undefined ? (await stat(this.store.path(digest))).mtime : new Date(first.time);
  }

  /** Moves of a model's aliases, newest first. */
  async history(name: string): Promise<ReflogLine[]> {
    const seen = await this.current();
    seen.lines ??= (await readReflog(this.root, seen.head)).lines;
    return seen.lines.filter((line) => line.name === name).reverse();
  }

  private async current(): Promise<Seen> {
    const state = await this.indexState();
    if (this.seen?.state === state) return this.seen;
    const index = await readIndex(this.root);
    if (index === undefined)
      throw new RerankTuneError({
        code: "REGISTRY_NOT_FOUND",
        message: `There is no registry in ${this.root}.`,
        hint: "name another folder with --registry, or fill this one with `rerank-tune publish RECIPE`",
      });
    this.seen = { state, catalog: catalogOf(index), head: index.annotations?.[REFLOG_HEAD] };
    return this.seen;
  }

  /** The index is replaced by renames, so a new one is another file. */
  private async indexState(): Promise<string> {
    const found = await stat(join(this.root, INDEX_FILE), { bigint: true }).catch(() => undefined);
    return found === undefined ? "none" : `${found.ino}.${found.mtimeNs}.${found.size}`;
  }
}

/** The small text that git keeps in place of a large file (git-lfs specification, "The Pointer"). */
export function lfsPointer({ sha256, bytes }: Pick<CatalogFile, "sha256" | "bytes">): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${bytes}\n`;
}

/** What git would call a file: the sha1 of its pointer as a git blob. Clients of the Hub show it and check nothing with it. */
export function gitIdOf(file: Pick<CatalogFile, "sha256" | "bytes">): string {
  const pointer = lfsPointer(file);
  return createHash("sha1").update(`blob ${pointer.length}\0${pointer}`).digest("hex");
}
