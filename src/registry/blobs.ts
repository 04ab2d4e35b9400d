// Content-addressed files, `blobs/sha256/<hex>`, read-only. Knows bytes and digests; nothing of models or versions.
import { randomUUID } from "node:crypto";
import { chmod, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { hashFile, hashText } from "../artifacts/hash.js";
import { isAlive } from "../artifacts/process-identity.js";
import { RerankTuneError } from "../errors.js";
import { copyHashing } from "./copy.js";
import { makeFolder, syncFile, syncFolder } from "./durable.js";

const FROZEN = 0o444;

export interface StoredBlob {
  digest: string;
  size: number;
}

export class BlobStore {
  constructor(readonly root: string) {}

  get folder(): string {
    return join(this.root, "blobs", "sha256");
  }

  path(digest: string): string {
    return join(this.folder, digest.slice("sha256:".length));
  }

  /** Bytes of a small blob, checked. @throws RerankTuneError REGISTRY_CORRUPT */
  async read(digest: string): Promise<Buffer> {
    const bytes = await readFile(this.path(digest)).catch((error) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw corrupt(digest, "is missing");
      throw error;
    });
    if (`sha256:${hashText(bytes)}` !== digest) throw corrupt(digest, "does not match its digest");
    return bytes;
  }

  /** Writes a blob to `target`, checks it on the way, and flushes it to the disk. @throws RerankTuneError REGISTRY_CORRUPT */
  async copyTo(digest: string, target: string): Promise<void> {
    const found = await stat(this.path(digest)).catch(() => undefined);
    if (found === undefined) throw corrupt(digest, "is missing");
    const copied = await copyHashing(this.path(digest), target);
    if (`sha256:${copied.sha256}` !== digest) throw corrupt(digest, "does not match its digest");
    await chmod(target, FROZEN);
    await syncFile(target);
  }

  async exists(digest: string, size: number): Promise<boolean> {
    return (await stat(this.path(digest)).catch(() => undefined))?.size === size;
  }
}

interface Staged extends StoredBlob {
  file: string;
  sha256: string;
  /** Resolves when its bytes are on the disk; never rejects, the failure is kept for `flush`. */
  synced: Promise<{ failure?: unknown }>;
}

/** Flushes that may be under way at once: they share the disk's own commits, so that many small files cost little more than one. */
const FLUSHES_AT_ONCE = 16;

/** One publisher's way into the store: bytes are staged under a name of this process, and linked into the store when all are on the disk. */
export class BlobWriter {
  /** Bytes that the store did not have before; known after `flush`. */
  bytesAdded = 0;
  private readonly staging: string;
  private staged: Staged[] = [];

  constructor(private readonly store: BlobStore) {
    this.staging = join(store.root, "tmp", stagingName());
  }

  async open(): Promise<void> {
    await makeFolder(this.store.folder);
    await mkdir(this.staging, { recursive: true });
  }

  async close(): Promise<void> {
    await Promise.all(this.staged.map(({ synced }) => synced));
    await rm(this.staging, { recursive: true, force: true });
  }

  async addBytes(bytes: string | Uint8Array): Promise<StoredBlob> {
    const staged = join(this.staging, randomUUID());
    await writeFile(staged, bytes, { flag: "wx" });
    return await this.commit(staged, hashText(bytes), Buffer.byteLength(bytes));
  }

  /**
   * Adds a file. A file that is read-only already is linked when it can be, any other is copied: what was hashed must be what stays.
   * @param expected sha256 (hex) that the file must have; when the store has those bytes, the file is not read again.
   * @throws RerankTuneError PACKAGE_INVALID when the file has another digest than expected.
   */
  async addFile(source: string, expected?: string): Promise<StoredBlob> {
    const { size, mode } = await stat(source);
    if (expected !== undefined && (await this.store.exists(`sha256:${expected}`, size)))
      return { digest: `sha256:${expected}`, size };
    const staged = join(this.staging, randomUUID());
    const sha256 =
      (mode & 0o222) === 0 && !source.endsWith(".onnx_data") && (await linked(source, staged))
        ? await hashFile(staged)
        : (await copyHashing(source, staged)).sha256;
    if (expected !== undefined && sha256 !== expected)
      throw new RerankTuneError({
        code: "PACKAGE_INVALID",
        message: `${source} has sha256 ${sha256}, its manifest says ${expected}: it was changed.`,
        hint: "run `rerank-tune run RECIPE` again to rebuild the package",
      });
    return await this.commit(staged, sha256, size);
  }

  /**
   * Adds bytes from another store, never sharing them with it; what is here already is not read again.
   * @throws RerankTuneError PACKAGE_INVALID when the file does not have this digest.
   */
  async addCopy(source: string, digest: string): Promise<StoredBlob> {
    const { size } = await stat(source);
    if (await this.store.exists(digest, size)) return { digest, size };
    const staged = join(this.staging, randomUUID());
    const { sha256 } = await copyHashing(source, staged);
    if (`sha256:${sha256}` !== digest)
      throw new RerankTuneError({
        code: "PACKAGE_INVALID",
        message: `The bytes that came for ${digest} have sha256 ${sha256}.`,
        hint: "run `rerank-tune registry verify` where they come from",
      });
    return await this.commit(staged, sha256, size);
  }

  /** Waits for the bytes of all blobs added so far, links them into the store, and flushes their names. */
  async flush(): Promise<void> {
    const staged = this.staged;
    this.staged = [];
    for (const { synced } of staged) {
      const { failure } = await synced;
      if (failure !== undefined) throw failure;
    }
    const done = new Set<string>();
    for (const { file, digest, sha256, size } of staged) {
      if (done.has(digest)) continue;
      done.add(digest);
      const target = this.store.path(digest);
      if ((await linked(file, target)) || (await replacedUnsound(file, target, sha256))) this.bytesAdded += size;
    }
    await syncFolder(this.store.folder);
  }

  private async commit(file: string, sha256: string, size: number): Promise<StoredBlob> {
    const digest = `sha256:${sha256}`;
    await chmod(file, FROZEN);
    await this.staged.at(-FLUSHES_AT_ONCE)?.synced;
    const synced = syncFile(file).then(
      () => ({}),
      (failure: unknown) => ({ failure }),
    );
    this.staged.push({ file, digest, sha256, size, synced });
    return { digest, size };
  }
}

/** The name is taken, or the file system has no links. What lies there is not trusted: a damaged blob is replaced. */
async function replacedUnsound(staged: string, target: string, sha256: string): Promise<boolean> {
  const sound = (await stat(target).catch(() => undefined)) !== undefined && (await hashFile(target)) === sha256;
  if (!sound) await rename(staged, target);
  return !sound;
}

/** A name that says which process works under it. */
export function stagingName(): string {
  return `${process.pid}@${hostname()}.${randomUUID()}`;
}

/** Removes staging folders whose process on this host is gone; their names are `prefix` and a staging name. */
export async function dropStaleStaging(folder: string, prefix = ""): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = name.startsWith(prefix) ? /^(\d+)@(.+)\.[0-9a-f-]{36}$/.exec(name.slice(prefix.length)) : null;
    if (owner !== null && owner[2] === hostname() && !isAlive(Number(owner[1])))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** False where a link cannot be made: the name is taken, another file system, too many links, no permission. */
export async function linked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && ["EEXIST", "EXDEV", "EMLINK", "EPERM", "ENOTSUP", "ENOSYS"].includes(code)) return false;
    throw error;
  }
}

function corrupt(digest: string, what: string): RerankTuneError {
  return new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `Blob ${digest} ${what}.`,
    hint: "run `rerank-tune registry verify` for all damage, delete what is damaged, then publish the model again",
  });
}
