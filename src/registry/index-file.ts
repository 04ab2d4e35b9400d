// Reading and changing index.json, the one file that decides which versions exist. Pure but for `readIndex`.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, hashText } from "../artifacts/hash.js";
import { jsonOf } from "../artifacts/json-value.js";
import { RerankTuneError } from "../errors.js";
import { type Descriptor, indexSchema, MODEL_TYPE, type OciIndex, REFERENCE_NAME, REFLOG_HEAD } from "./format.js";

export const INDEX_FILE = "index.json";
export const LAYOUT_FILE = "oci-layout";
export const LAYOUT_TEXT = JSON.stringify({ imageLayoutVersion: "1.0.0" });

/** @returns undefined when there is no registry. @throws RerankTuneError REGISTRY_CORRUPT */
export async function readIndex(root: string): Promise<OciIndex | undefined> {
  const path = join(root, INDEX_FILE);
  const text = await readFile(path, "utf8").catch((error) => {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ENOTDIR"].includes(code)) return undefined;
    if (code === "EISDIR") return ""; // a folder in its place is no index
    throw error;
  });
  if (text === undefined) return undefined;
  const parsed = indexSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `${path} is not an OCI image index.`,
    hint: "restore it from a backup, or publish into another folder with --registry",
  });
}

/** A version: a model name and the descriptor of its manifest. */
export interface VersionEntry {
  name: string;
  descriptor: Descriptor;
}

/** Versions in the order of publication. */
export function versionEntries(index: OciIndex): VersionEntry[] {
  return index.manifests.flatMap((descriptor) => {
    const reference = descriptor.annotations?.[REFERENCE_NAME] ?? "";
    const suffix = `@${descriptor.digest}`;
    return reference.endsWith(suffix) ? [{ name: reference.slice(0, -suffix.length), descriptor }] : [];
  });
}

/** Aliases of a model with the digests they point to. */
export function aliasesOf(index: OciIndex, name: string): Record<string, string> {
  const aliases: Record<string, string> = {};
  for (const descriptor of index.manifests) {
    const reference = descriptor.annotations?.[REFERENCE_NAME];
    if (reference?.startsWith(`${name}:`)) aliases[reference.slice(name.length + 1)] = descriptor.digest;
  }
  return aliases;
}

/** Aliases of every model, in one pass over the index. */
export function allAliases(index: OciIndex): Map<string, Record<string, string>> {
  const models = new Map<string, Record<string, string>>();
  for (const { digest, annotations } of index.manifests) {
    const [, name = "", alias] = /^([^:@]+):([^:@]+)$/.exec(annotations?.[REFERENCE_NAME] ?? "") ?? [];
    if (alias === undefined) continue;
    const aliases = models.get(name) ?? {};
    aliases[alias] = digest;
    models.set(name, aliases);
  }
  return models;
}

/** Manifests beside the models, such as reports; their `subject` names the model. */
export function referrerEntries(index: OciIndex): Descriptor[] {
  return index.manifests.filter(({ artifactType }) => artifactType !== MODEL_TYPE);
}

/** The index with a version, its referrers and the alias on it. What is there already stays as it is. */
export function withVersion(
  index: OciIndex,
  name: string,
  alias: string,
  version: Descriptor,
  referrers: readonly Descriptor[],
): OciIndex {
  const named = (reference: string): Descriptor => ({ ...version, annotations: { [REFERENCE_NAME]: reference } });
  const { manifests } = withoutAlias(index, name, alias);
  const known = (reference: string): boolean =>
    manifests.some(({ annotations }) => annotations?.[REFERENCE_NAME] === reference);
  const own = `${name}@${version.digest}`;
  if (!known(own)) manifests.push(named(own));
  const referred = withReferrers({ ...index, manifests }, referrers).manifests;
  return { ...index, manifests: [...referred, named(`${name}:${alias}`)] };
}

/** The index without an alias; the version that it held stays. */
export function withoutAlias(index: OciIndex, name: string, alias: string): OciIndex {
  const manifests = index.manifests.filter(({ annotations }) => annotations?.[REFERENCE_NAME] !== `${name}:${alias}`);
  return { ...index, manifests };
}

/** The index with manifests beside a version; what is there already stays as it is. */
export function withReferrers(index: OciIndex, referrers: readonly Descriptor[]): OciIndex {
  const known = new Set(index.manifests.map(({ digest }) => digest));
  const added = referrers.filter(({ digest }) => !known.has(digest) && known.add(digest));
  return { ...index, manifests: [...index.manifests, ...added] };
}

/** sha256 of an index without the head of the log, which comes after it. */
export function indexState({ annotations = {}, ...index }: OciIndex): string {
  const { [REFLOG_HEAD]: _, ...others } = annotations;
  return hashText(canonicalJson({ ...index, annotations: others }));
}

/** The one text of an index; verify holds the file against it byte by byte. */
export function indexText(index: unknown): string {
  return JSON.stringify(index, null, 2);
}
