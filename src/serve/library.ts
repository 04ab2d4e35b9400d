// What the server reads: models by the names and revisions of requests, and files whose bytes are still those that were published.
import type { Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { hashFile } from "../artifacts/hash.js";
import {
  type CatalogFile,
  type CatalogModel,
  CatalogReader,
  digestOf,
  openRegistry,
  type Registry,
  revisionOf,
} from "../registry/index.js";
import { notFound, Refusal } from "./exchange.js";

export interface FoundVersion {
  model: CatalogModel;
  /** `sha256:<hex>` of the manifest. */
  digest: string;
  /** Its first 40 hex digits, a commit to clients of the Hub. */
  revision: string;
  files: readonly CatalogFile[];
}

export class Library {
  readonly catalog: CatalogReader;
  private readonly hashed = new Map<string, Promise<string>>();

  private constructor(
    readonly registry: Registry,
    readonly organization: string,
    private readonly rehash: boolean,
  ) {
    this.catalog = new CatalogReader(registry.root);
  }

  /** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT */
  static async open(root: string, organization: string, rehash: boolean): Promise<Library> {
    return new Library(await openRegistry(root), organization, rehash);
  }

  /** The name that clients of the Hub use. */
  idOf(name: string): string {
    return `${this.organization}/${name}`;
  }

  /** @throws Refusal RepoNotFound */
  async model(name: string): Promise<CatalogModel> {
    const model = (await this.catalog.models()).get(name);
    if (model === undefined) throw notFound("RepoNotFound", "This registry has no such model.");
    return model;
  }

  /** @throws Refusal RepoNotFound, RevisionNotFound */
  async version(name: string, revision: string): Promise<FoundVersion> {
    const model = await this.model(name);
    const digest = digestOf(model, revision);
    if (digest === undefined) throw notFound("RevisionNotFound", "The model has no such alias or version.");
    return { model, digest, revision: revisionOf(digest), files: await this.catalog.filesOf(digest) };
  }

  /**
   * Opens a file to read. What has another size than published is not sent; with rehash, nor is what has other bytes.
   * @throws Refusal 500 when it is damaged.
   */
  async open(file: CatalogFile): Promise<FileHandle> {
    const handle = await open(file.blob, "r").catch(() => undefined);
    if (handle === undefined) throw damaged(file, "is missing");
    try {
      const found = await handle.stat();
      if (!found.isFile() || found.size !== file.bytes) throw damaged(file, "has another size than published");
      if (this.rehash && (await this.hashOf(file, found)) !== file.sha256)
        throw damaged(file, "has other bytes than published");
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Once as long as the file looks the same; a change of the file gives another key. */
  private async hashOf(file: CatalogFile, found: Stats): Promise<string> {
    const state = `${file.sha256}.${found.ino}.${found.mtimeMs}.${found.ctimeMs}`;
    const hash = this.hashed.get(state) ?? hashFile(file.blob);
    this.hashed.set(state, hash);
    return await hash;
  }
}

const damaged = ({ sha256 }: CatalogFile, what: string): Refusal =>
  new Refusal(500, `Blob sha256:${sha256} ${what}; run \`rerank-tune registry verify\`.`);
