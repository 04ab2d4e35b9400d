// Where artifacts live: work happens in `<key>.partial`, is described by a manifest written last, and becomes visible by one rename.
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, hashFile, hashText, listFiles } from "./hash.js";
import { MANIFEST_FILE, type Manifest, manifestSchema, RECORDS_FOLDER } from "./manifest.js";

/** A finished artifact on disk. */
export interface Artifact {
  dir: string;
  manifest: Manifest;
}

export interface FoundArtifact {
  artifact?: Artifact;
  /** Why an artifact that should be there cannot be used. */
  corrupt?: string;
}

/** The artifacts of one recipe below `<root>/<recipe>/`. */
export class ArtifactStore {
  constructor(
    readonly root: string,
    readonly recipe: string,
  ) {}

  get folder(): string {
    return join(this.root, this.recipe);
  }

  /** `<root>/<recipe>/<NN>-<stage>`. */
  stageFolder(index: number, stage: string): string {
    return join(this.folder, `${String(index + 1).padStart(2, "0")}-${stage}`);
  }

  artifactFolder(stageFolder: string, key: string): string {
    return join(stageFolder, key.slice(0, 12));
  }

  /** The artifact of a key, when it is there and its files are as described. */
  async find(stageFolder: string, key: string): Promise<FoundArtifact> {
    const dir = this.artifactFolder(stageFolder, key);
    const manifest = await readManifest(dir);
    if (manifest === undefined) return {};
    const corrupt = await firstChangedFile(dir, manifest);
    return corrupt === undefined ? { artifact: { dir, manifest } } : { corrupt };
  }

  /** The newest manifest of a stage, to explain what changed. */
  async latest(stageFolder: string): Promise<Manifest | undefined> {
    const names = await readdir(stageFolder).catch(() => []);
    const manifests = await Promise.all(
      names.filter((name) => !name.includes(".")).map((name) => readManifest(join(stageFolder, name))),
    );
    return manifests
      .filter((manifest) => manifest !== undefined)
      .sort((left, right) => right.started.localeCompare(left.started))[0];
  }

  /** A folder to work in. `resume` keeps what an interrupted run with the same key left there. */
  async begin(stageFolder: string, key: string, resume: boolean): Promise<{ dir: string; resuming: boolean }> {
    const dir = `${this.artifactFolder(stageFolder, key)}.partial`;
    const leftovers = await readdir(dir).catch(() => []);
    if (!resume) await removeFolder(dir);
    await mkdir(dir, { recursive: true });
    return { dir, resuming: resume && leftovers.length > 0 };
  }

  /** Describes the files, writes the manifest last, and renames the folder into place. */
  async commit(partial: string, about: Omit<Manifest, "files" | "digest">): Promise<Artifact> {
    const files = await describeFiles(partial);
    const manifest: Manifest = { ...about, files, digest: contentDigest(files) };
    await writeDurably(join(partial, MANIFEST_FILE), JSON.stringify(manifest, null, 2));
    const dir = partial.replace(/\.partial$/, "");
    await removeFolder(dir);
    await rename(partial, dir);
    return { dir, manifest };
  }

  async discard(partial: string): Promise<void> {
    await removeFolder(partial);
  }
}

/** Digest that followers depend on: every file outside records/. */
export function contentDigest(files: Manifest["files"]): string {
  const counted = files.filter(({ path }) => !path.startsWith(`${RECORDS_FOLDER}/`));
  return hashText(canonicalJson(counted.map(({ path, sha256 }) => [path, sha256])));
}

async function describeFiles(folder: string): Promise<Manifest["files"]> {
  const files: Manifest["files"] = [];
  for (const path of await listFiles(folder)) {
    if (path === MANIFEST_FILE) continue;
    const file = join(folder, path);
    const { size, mtimeMs } = await stat(file);
    files.push({ path, bytes: size, sha256: await hashFile(file), mtime_ms: mtimeMs });
  }
  return files;
}

async function readManifest(dir: string): Promise<Manifest | undefined> {
  const text = await readFile(join(dir, MANIFEST_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // a torn manifest means: never happened
  }
}

/** A file with the same size and time is believed; any other is hashed again. */
async function firstChangedFile(dir: string, manifest: Manifest): Promise<string | undefined> {
  for (const file of manifest.files) {
    const path = join(dir, file.path);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return `${file.path} is missing`;
    if (found.size !== file.bytes) return `${file.path} has another size`;
    if (found.mtimeMs !== file.mtime_ms && (await hashFile(path)) !== file.sha256) return `${file.path} was changed`;
  }
  return undefined;
}

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  const file = await open(path, "r+");
  await file.sync();
  await file.close();
}

/** Packages are read-only; a folder inside may need its write permission back before it can go. */
async function removeFolder(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true }).catch(async () => {
    for (const name of await readdir(dir, { recursive: true }).catch(() => []))
      await chmod(join(dir, name), 0o755).catch(() => undefined);
    await rm(dir, { recursive: true, force: true });
  });
}
