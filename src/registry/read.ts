// What a registry holds: versions, their files, card and reports. Needs no write permission.
import { jsonOf } from "../artifacts/json-value.js";
import { RerankTuneError } from "../errors.js";
import { BlobStore } from "./blobs.js";
import { type Descriptor, FILE_PATH, MODEL_TYPE, manifestSchema, type OciIndex, type OciManifest } from "./format.js";
import { aliasesOf, allAliases, referrerEntries, versionEntries } from "./index-file.js";
import { parseReference } from "./reference.js";

export interface ListedModel {
  name: string;
  /** In the order of publication. */
  versions: { version: string; digest: string; aliases: string[]; files: number; bytes: number }[];
  /** Alias to digest. */
  aliases: Record<string, string>;
}

export interface ShownVersion {
  name: string;
  version: string;
  digest: string;
  aliases: string[];
  manifest: OciManifest;
  files: { path: string; bytes: number; sha256: string; media_type: string }[];
  /** README.md of the version. */
  card?: string;
  /** Content of the referrers, in the order of publication. */
  reports: { artifact_type: string; digest: string; content: unknown }[];
  /** Bytes of its files: all, and those that no other version has. */
  storage: { bytes: number; own_bytes: number };
}

/** What the files of all versions are together, and what is stored of them. Bytes. */
export interface Storage {
  /** Sum over versions of all their files: what plain folders would take. */
  file_bytes: number;
  /** The same without repetition: what the registry keeps of them. */
  stored_bytes: number;
}

/** All models with their versions, by name, in one pass over the manifests. @throws RerankTuneError REGISTRY_CORRUPT */
export async function inventory(root: string, index: OciIndex): Promise<{ models: ListedModel[]; storage: Storage }> {
  const store = new BlobStore(root);
  const models = new Map<string, ListedModel>();
  const aliases = allAliases(index);
  const stored = new Map<string, number>();
  const storage = { file_bytes: 0, stored_bytes: 0 };
  for (const { name, descriptor } of versionEntries(index)) {
    const model = models.get(name) ?? { name, versions: [], aliases: aliases.get(name) ?? {} };
    models.set(name, model);
    const { layers } = await readManifest(store, descriptor.digest);
    const bytes = layers.reduce((sum, { size }) => sum + size, 0);
    for (const { digest, size } of layers) stored.set(digest, size);
    storage.file_bytes += bytes;
    model.versions.push({
      version: `${name}@${descriptor.digest}`,
      digest: descriptor.digest,
      aliases: pointing(model.aliases, descriptor.digest),
      files: layers.length,
      bytes,
    });
  }
  for (const size of stored.values()) storage.stored_bytes += size;
  return { models: [...models.values()].sort((left, right) => (left.name < right.name ? -1 : 1)), storage };
}

/** Files of a version, in the order of its manifest. */
export function filesOf({ layers }: OciManifest): ShownVersion["files"] {
  return layers.map(({ digest, size, mediaType, annotations }) => ({
    path: annotations?.[FILE_PATH] ?? "",
    bytes: size,
    sha256: digest.slice("sha256:".length),
    media_type: mediaType,
  }));
}

/** One version. @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT */
export async function showVersion(root: string, index: OciIndex, reference: string): Promise<ShownVersion> {
  const store = new BlobStore(root);
  const { name, descriptor } = resolveReference(root, index, reference);
  const manifest = await readManifest(store, descriptor.digest);
  const files = filesOf(manifest);
  const readme = files.find(({ path }) => path === "README.md");
  const card = readme === undefined ? undefined : (await store.read(`sha256:${readme.sha256}`)).toString("utf8");
  const reports = await readReports(store, index, descriptor.digest);
  return {
    name,
    version: `${name}@${descriptor.digest}`,
    digest: descriptor.digest,
    aliases: pointing(aliasesOf(index, name), descriptor.digest),
    manifest,
    files,
    ...(card === undefined ? {} : { card }),
    reports,
    storage: await storageOf(store, index, descriptor.digest, manifest),
  };
}

async function storageOf(
  store: BlobStore,
  index: OciIndex,
  version: string,
  { layers }: OciManifest,
): Promise<ShownVersion["storage"]> {
  const own = new Map(layers.map(({ digest, size }) => [digest, size]));
  const others = new Set(versionEntries(index).map(({ descriptor }) => descriptor.digest));
  others.delete(version);
  for (const digest of others) for (const layer of (await readManifest(store, digest)).layers) own.delete(layer.digest);
  return {
    bytes: layers.reduce((sum, { size }) => sum + size, 0),
    own_bytes: [...own.values()].reduce((sum, size) => sum + size, 0),
  };
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, naming what there is. */
export function resolveReference(
  root: string,
  index: OciIndex,
  text: string,
): { name: string; descriptor: Descriptor } {
  const reference = parseReference(text);
  const versions = versionEntries(index);
  const aliases = aliasesOf(index, reference.name);
  const digest = reference.digest ?? aliases[reference.alias ?? ""];
  const found = versions.find(({ name, descriptor }) => name === reference.name && descriptor.digest === digest);
  if (found !== undefined) return found;
  const names = [...new Set(versions.map(({ name }) => name))].sort();
  const own = versions.filter(({ name }) => name === reference.name).length;
  const known = names.includes(reference.name)
    ? `${reference.name} has ${
        Object.keys(aliases)
          .map((alias) => `:${alias}`)
          .join(", ") || "no alias"
      } and ${own} ${own === 1 ? "version" : "versions"}`
    : names.length === 0
      ? "the registry is empty"
      : `it has ${names.slice(0, 10).join(", ")}${names.length > 10 ? ` and ${names.length - 10} more` : ""}`;
  throw new RerankTuneError({
    code: "REGISTRY_NOT_FOUND",
    message: `${text} is not in the registry ${root}.`,
    hint: `${known}; see \`rerank-tune registry list --registry ${root}\``,
  });
}

/** @throws RerankTuneError REGISTRY_CORRUPT when the blob is missing, changed or no model manifest. */
export async function readManifest(store: BlobStore, digest: string, type = MODEL_TYPE): Promise<OciManifest> {
  const parsed = manifestSchema.safeParse(jsonOf((await store.read(digest)).toString("utf8")));
  if (parsed.success && (type === parsed.data.artifactType || type === "")) return parsed.data;
  throw new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `Blob ${digest} is not the manifest that index.json says it is.`,
    hint: "run `rerank-tune registry verify` for all damage",
  });
}

async function readReports(store: BlobStore, index: OciIndex, subject: string): Promise<ShownVersion["reports"]> {
  const reports: ShownVersion["reports"] = [];
  for (const { descriptor, manifest } of await referrersOf(store, index, subject)) {
    const layer = manifest.layers[0];
    if (layer === undefined) continue;
    const text = (await store.read(layer.digest)).toString("utf8");
    reports.push({ artifact_type: manifest.artifactType, digest: descriptor.digest, content: jsonOf(text) ?? text });
  }
  return reports;
}

/** A small manifest whose subject is a version: a report, a signature, a statement. */
export interface FrozenReferrer {
  descriptor: Descriptor;
  manifest: OciManifest;
}

/** What lies beside a version, in the order of publication. @throws RerankTuneError REGISTRY_CORRUPT */
export async function referrersOf(store: BlobStore, index: OciIndex, subject: string): Promise<FrozenReferrer[]> {
  const found: FrozenReferrer[] = [];
  for (const descriptor of referrerEntries(index)) {
    const manifest = await readManifest(store, descriptor.digest, "");
    if (manifest.subject?.digest === subject) found.push({ descriptor, manifest });
  }
  return found;
}

/** Names of the aliases that point at a version, sorted. */
export function pointing(aliases: Readonly<Record<string, string>>, digest: string): string[] {
  return Object.keys(aliases)
    .filter((alias) => aliases[alias] === digest)
    .sort();
}
