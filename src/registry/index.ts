// The door of the registry: a folder of immutable model versions in OCI image layout. Publishing is the only thing that writes.
import { resolve } from "node:path";
import { fromFileSystemError, RerankTuneError } from "../errors.js";
import { createRegistry } from "./commit.js";
import type { OciIndex } from "./format.js";
import { type FrozenVersion, frozenVersion } from "./frozen.js";
import { type ImportRequest, importInto } from "./import.js";
import { readIndex } from "./index-file.js";
import { type PublishedVersion, type PublishRequest, publishInto } from "./publish.js";
import { type PulledVersion, pullVersion } from "./pull.js";
import { type ListedModel, listModels, type ShownVersion, showVersion } from "./read.js";
import { checkRegistry, type RegistryReport, registryCorrupt } from "./verify.js";

export {
  type Descriptor,
  descriptorSchema,
  FILE_PATH,
  INDEX_TYPE,
  MANIFEST_TYPE,
  MODEL_TYPE,
  type OciManifest,
  REPORT_TYPE,
} from "./format.js";
export type { FrozenFile, FrozenReferrer, FrozenVersion } from "./frozen.js";
export { type ImportRequest, parseManifest } from "./import.js";
export type { PublishedFile, PublishedVersion, PublishRequest, Referrer } from "./publish.js";
export type { PulledVersion } from "./pull.js";
export type { ListedModel, ShownVersion } from "./read.js";
export type { RegistryReport } from "./verify.js";

/** All failures are RerankTuneError: REGISTRY_NOT_FOUND, REGISTRY_CORRUPT, and DISK_FULL, NOT_WRITABLE, FOLDER_IN_USE when writing. */
export interface Registry {
  /** Absolute path. */
  readonly root: string;
  list(): Promise<ListedModel[]>;
  /** @param reference `name`, `name:alias` or `name@sha256:<hex>`. */
  show(reference: string): Promise<ShownVersion>;
  /** A version with the blobs of its files, for whoever releases, serves or signs it. */
  frozen(reference: string): Promise<FrozenVersion>;
  /** Writes a version into a new or empty folder, every byte checked. */
  pull(reference: string, target: string): Promise<PulledVersion>;
  /** Rehashes everything. @throws RerankTuneError REGISTRY_CORRUPT with all problems, and the report as `data`. */
  verify(onBlob?: (done: number, total: number) => void): Promise<RegistryReport>;
  /** Adds a version and moves its alias; identical content is found again and adds nothing. */
  publishVersion(request: PublishRequest): Promise<PublishedVersion>;
  /** Takes in a version that was made elsewhere, under its own digest. */
  importVersion(request: ImportRequest): Promise<PublishedVersion>;
}

/**
 * Opens the registry at `dir`.
 * @param options.create makes an empty one when there is none.
 * @throws RerankTuneError REGISTRY_NOT_FOUND when there is none; REGISTRY_CORRUPT when its index cannot be read.
 */
export async function openRegistry(dir: string, options: { create?: boolean } = {}): Promise<Registry> {
  const root = resolve(dir);
  const index = async (): Promise<OciIndex> => {
    const found = await readIndex(root);
    if (found === undefined)
      throw new RerankTuneError({
        code: "REGISTRY_NOT_FOUND",
        message: `There is no registry in ${root}.`,
        hint: "name another folder with --registry, or fill this one with `rerank-tune publish RECIPE`",
      });
    return found;
  };
  const guarded = async <Result>(path: string, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof RerankTuneError
        ? error
        : (fromFileSystemError(error, path) ?? notAFolder(error, path) ?? error);
    }
  };
  await guarded(root, async () => void (options.create === true ? await createRegistry(root) : await index()));
  return {
    root,
    list: () => guarded(root, async () => await listModels(root, await index())),
    show: (reference) => guarded(root, async () => await showVersion(root, await index(), reference)),
    frozen: (reference) => guarded(root, async () => await frozenVersion(root, await index(), reference)),
    pull: (reference, target) => guarded(target, async () => await pullVersion(root, await index(), reference, target)),
    publishVersion: (request) => guarded(root, () => publishInto(root, request)),
    importVersion: (request) => guarded(root, () => importInto(root, request)),
    verify: (onBlob) =>
      guarded(root, async () => {
        const report = await checkRegistry(root, await index(), onBlob);
        if (report.problems.length > 0) throw registryCorrupt(root, report);
        return report;
      }),
  };
}

function notAFolder(error: unknown, path: string): RerankTuneError | undefined {
  if (!["ENOTDIR", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
  return new RerankTuneError({
    code: "NOT_WRITABLE",
    message: `${path} is a file, not a folder.`,
    hint: "name a folder with --registry",
    cause: error,
  });
}
