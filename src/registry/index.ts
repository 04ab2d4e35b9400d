// The door of the registry: a folder of immutable model versions in OCI image layout. Every change of its index goes through commit.ts.
import { resolve } from "node:path";
import { fromFileSystemError, RerankTuneError } from "../errors.js";
import { type AliasRequest, type MovedAlias, moveAlias, type Protection, rollback, setProtection } from "./aliases.js";
import { type Attached, attachTo } from "./attach.js";
import { type Collection, type CollectRequest, collect, type Restored, restore } from "./collect.js";
import { type ChangeOptions, createRegistry } from "./commit.js";
import { type VersionDiff, versionDiff } from "./diff.js";
import type { Evidence } from "./evidence/states.js";
import type { OciIndex } from "./format.js";
import { type FrozenVersion, frozenVersion } from "./frozen.js";
import { refuseReport } from "./gate.js";
import { type ImportRequest, importInto } from "./import.js";
import { readIndex } from "./index-file.js";
import { type Lineage, lineage, lineageOf } from "./lineage.js";
import { type Moves, movesOf } from "./moves.js";
import { type GateRule, protectedAliases } from "./protection.js";
import { type PublishedVersion, type PublishRequest, publishInto, type Referrer } from "./publish.js";
import { type PulledVersion, type PullOptions, pullVersion } from "./pull.js";
import { inventory, type ListedModel, type ShownVersion, type Storage, showVersion } from "./read.js";
import { removeAlias, removeVersion } from "./removal.js";
import { checkRegistry, type RegistryReport, registryCorrupt, type VerifyOptions } from "./verify.js";

export type { MovedAlias, Protection } from "./aliases.js";
export type { Attached } from "./attach.js";
export {
  type Catalog,
  type CatalogFile,
  type CatalogModel,
  CatalogReader,
  digestOf,
  gitIdOf,
  lfsPointer,
  revisionOf,
} from "./catalog.js";
export type { Collection, CollectRequest, Restored } from "./collect.js";
export type { VersionDiff } from "./diff.js";
export { evidenceFiles } from "./evidence/files.js";
export { sbomReferrer, signatures, signedBy, statementReferrer } from "./evidence/sign.js";
export { type Evidence, type EvidenceKind, type EvidenceState, evidenceOf, subjectsOf } from "./evidence/states.js";
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
export { type FrozenFile, type FrozenVersion, frozenOf } from "./frozen.js";
export { type ImportRequest, parseManifest } from "./import.js";
export type { Lineage, LineageNode } from "./lineage.js";
export type { Moves } from "./moves.js";
export type { GateRule } from "./protection.js";
export type { PublishedFile, PublishedVersion, PublishRequest, Referrer, VersionFacts } from "./publish.js";
export type { PulledVersion } from "./pull.js";
export { type FrozenReferrer, type ListedModel, pointing, type ShownVersion, type Storage } from "./read.js";
export { checkOrganization } from "./reference.js";
export type { RegistryReport } from "./verify.js";

/** All failures are RerankTuneError: REGISTRY_NOT_FOUND, REGISTRY_CORRUPT, and DISK_FULL, NOT_WRITABLE, FOLDER_IN_USE when writing. */
export interface Registry {
  /** Absolute path. */
  readonly root: string;
  list(): Promise<ListedModel[]>;
  /** The same with what it takes to store it, and the protected aliases, `name:alias` to rule. */
  inventory(): Promise<{ models: ListedModel[]; storage: Storage; protected: Record<string, GateRule> }>;
  /** @param reference `name`, `name:alias` or `name@sha256:<hex>`. */
  show(reference: string): Promise<ShownVersion>;
  /** A version with the blobs of its files, for whoever releases, serves or signs it. */
  frozen(reference: string): Promise<FrozenVersion>;
  /** Writes a version into a new or empty folder, every byte checked. */
  pull(reference: string, target: string, options?: PullOptions): Promise<PulledVersion>;
  /** Rehashes everything. @throws RerankTuneError REGISTRY_CORRUPT with all problems, and the report as `data`. */
  verify(options?: VerifyOptions): Promise<RegistryReport>;
  /** Moves an alias to another version of its model; see aliases.ts. */
  moveAlias(request: Omit<AliasRequest, "name"> & { reference: string }): Promise<MovedAlias>;
  /** Moves it back, to the version before or to `to`. */
  rollback(request: AliasRequest & { to?: string }): Promise<MovedAlias>;
  /** Takes an alias away; see removal.ts. */
  removeAlias(request: AliasRequest): Promise<{ name: string; alias: string; from: string }>;
  /** Lets only versions that pass verify stand under an alias, or any where `rule` is undefined. */
  setProtection(request: AliasRequest & { rule: GateRule | undefined }): Promise<Protection>;
  /** @throws RerankTuneError GATE_FAILED when the alias is protected and a report that is to be published with `variants` does not pass. */
  refuseReport(name: string, alias: string, report: unknown, variants: readonly string[]): Promise<void>;
  /** The log, of one model or alias where they are given, and what is wrong with its chain. */
  log(name?: string, alias?: string): Promise<Moves>;
  diff(left: string, right: string): Promise<VersionDiff>;
  lineage(reference: string): Promise<Lineage>;
  /** The same for whoever has read the version and what lies beside it. */
  lineageOf(version: FrozenVersion, evidence: readonly Evidence[]): Promise<Lineage>;
  /** Takes a version that no alias holds out of the index. */
  remove(request: ChangeOptions & { reference: string; reason: string }): Promise<{ version: string }>;
  collect(request: CollectRequest): Promise<Collection>;
  /** Takes everything back out of the quarantine. */
  restore(options: { now: Date; reason: string; lockWaitMs?: number }): Promise<Restored>;
  /** Adds a version and moves its alias; identical content is found again and adds nothing. */
  publishVersion(request: PublishRequest): Promise<PublishedVersion>;
  /** Puts reports, statements or signatures beside a version, whose digest stays; what is there already adds nothing. */
  attach(reference: string, referrers: readonly Referrer[]): Promise<Attached>;
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
  /** A command that changes what is there; it does not make a registry of any folder. */
  const writing = <Result>(work: () => Promise<Result>) => guarded(root, async () => await index().then(work));
  return {
    root,
    list: () => guarded(root, async () => (await inventory(root, await index())).models),
    inventory: () =>
      guarded(root, async () => {
        const now = await index();
        return { ...(await inventory(root, now)), protected: protectedAliases(now) };
      }),
    moveAlias: (request) => writing(() => moveAlias(root, request)),
    rollback: (request) => writing(() => rollback(root, request)),
    removeAlias: (request) => writing(() => removeAlias(root, request)),
    setProtection: (request) => writing(() => setProtection(root, request)),
    refuseReport: async (...report) => refuseReport(await index(), ...report),
    log: (name, alias) => guarded(root, async () => await movesOf(root, await index(), name, alias)),
    diff: (left, right) => guarded(root, async () => await versionDiff(root, await index(), left, right)),
    lineage: (reference) => guarded(root, async () => await lineage(root, await index(), reference)),
    lineageOf: (version, evidence) =>
      guarded(root, async () => await lineageOf(root, await index(), version, evidence)),
    remove: (request) => writing(() => removeVersion(root, request)),
    collect: (request) => guarded(root, async () => await collect(root, await index(), request)),
    restore: (options) => writing(() => restore(root, options)),
    show: (reference) => guarded(root, async () => await showVersion(root, await index(), reference)),
    frozen: (reference) => guarded(root, async () => await frozenVersion(root, await index(), reference)),
    pull: (reference, target, options) =>
      guarded(target, async () => await pullVersion(root, await index(), reference, target, options)),
    publishVersion: (request) => guarded(root, () => publishInto(root, request)),
    attach: (reference, referrers) =>
      guarded(root, async () => await attachTo(root, await index(), reference, referrers)),
    importVersion: (request) => guarded(root, () => importInto(root, request)),
    verify: (options) =>
      guarded(root, async () => {
        const report = await checkRegistry(root, await index(), options);
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
