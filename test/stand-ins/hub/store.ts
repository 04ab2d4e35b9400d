// What the stand-in of the Hub remembers: accounts, repositories with commits, branches and tags, and large objects by digest.
import { createHash } from "node:crypto";

export interface Entry {
  size: number;
  /** Git's sha1 of the content, or of the pointer. */
  oid: string;
  /** Set in large-file storage. */
  sha256?: string;
  content?: Buffer;
}

export type Tree = ReadonlyMap<string, Entry>;

export interface StoredCommit {
  oid: string;
  parent?: string;
  summary: string;
  tree: Tree;
}

export interface StoredRepository {
  private: boolean;
  commits: Map<string, StoredCommit>;
  branches: Map<string, string>;
  tags: Map<string, string>;
}

/** As the Hub makes it in every new repository, shortened to what rerankers have. */
export const ATTRIBUTES = `${["*.safetensors", "*.onnx", "*.onnx_data", "*.bin", "*.model"]
  .map((pattern) => `${pattern} filter=lfs diff=lfs merge=lfs -text`)
  .join("\n")}\n`;

export const sha1 = (bytes: Buffer | string): string => createHash("sha1").update(bytes).digest("hex");
export const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");
export const gitName = (bytes: Buffer): string => sha1(Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes]));

export function regularEntry(content: Buffer): Entry {
  return { size: content.length, oid: gitName(content), content };
}

export function largeEntry(digest: string, size: number): Entry {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${digest}\nsize ${size}\n`;
  return { size, sha256: digest, oid: gitName(Buffer.from(pointer)) };
}

export class HubStore {
  readonly repositories = new Map<string, StoredRepository>();
  readonly objects = new Map<string, Buffer>();
  private count = 0;

  create(id: string, isPrivate: boolean): StoredRepository {
    const repository: StoredRepository = {
      private: isPrivate,
      commits: new Map(),
      branches: new Map(),
      tags: new Map(),
    };
    this.repositories.set(id, repository);
    const tree = new Map([[".gitattributes", regularEntry(Buffer.from(ATTRIBUTES))]]);
    this.commit(repository, "main", "initial commit", tree);
    return repository;
  }

  commit(repository: StoredRepository, branch: string, summary: string, tree: Tree): StoredCommit {
    const parent = repository.branches.get(branch);
    this.count += 1;
    const oid = sha1(`${this.count} ${parent} ${summary}`);
    const made: StoredCommit = { oid, summary, tree, ...(parent === undefined ? {} : { parent }) };
    repository.commits.set(oid, made);
    repository.branches.set(branch, oid);
    return made;
  }

  /** A branch, a tag or a full commit. */
  at(repository: StoredRepository, revision: string): StoredCommit | undefined {
    const oid = repository.branches.get(revision) ?? repository.tags.get(revision) ?? revision;
    return repository.commits.get(oid);
  }

  /** From the newest to the first. */
  history(id: string, branch: string): StoredCommit[] {
    const repository = this.repositories.get(id);
    const found: StoredCommit[] = [];
    let oid = repository?.branches.get(branch);
    while (oid !== undefined) {
      const commit = repository?.commits.get(oid);
      if (commit === undefined) break;
      found.push(commit);
      oid = commit.parent;
    }
    return found;
  }

  content(entry: Entry): Buffer | undefined {
    return entry.sha256 === undefined ? entry.content : this.objects.get(entry.sha256);
  }
}
