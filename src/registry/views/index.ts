// Views of a registry: folders that other programs read models from. Derived, never trusted, made again at will; a marker names what is ours.
import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, readFile, realpath, rm } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { z } from "zod";
import { jsonOf } from "../../artifacts/json-value.js";
import { acquireLock } from "../../artifacts/lock.js";
import { RerankTuneError } from "../../errors.js";
import { type CatalogFile, CatalogReader } from "../catalog.js";
import { makeFolder, replaceFile } from "../durable.js";
import { checkOrganization } from "../reference.js";
import { compareVersion, compareView, type Difference, extraEntries } from "./compare.js";
import { isLinkable, ownFolder, placeLink, placeText, placeVersion, setAside } from "./place.js";
import { planView, VIEW_KINDS, type ViewKind, type ViewPlan, type ViewSelection } from "./plan.js";

export { VIEW_KINDS, type ViewKind, type ViewSelection } from "./plan.js";

export const MARKER = ".rerank-tune-view.json";
const STAGING = ".rerank-tune-staging-";

const markerSchema = z.object({
  schema: z.literal(1),
  kind: z.enum(VIEW_KINDS),
  models: z.array(z.string()),
  all: z.boolean(),
  org: z.string(),
  owned: z.array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)),
});
type Marker = z.infer<typeof markerSchema>;

export interface BuildOptions extends ViewSelection {
  link: boolean;
  /** Files done, of all in the view. */
  onFile?(done: number, total: number): void;
  signal?: AbortSignal;
}

export interface BuiltView {
  kind: ViewKind;
  /** Absolute path. */
  folder: string;
  models: number;
  versions: number;
  files: number;
  bytes: number;
  /** Bytes copied into the view by this call; what was there and right is not written again. */
  bytes_written: number;
  /** Files that are hard links to the registry. */
  files_linked: number;
  /** What was taken out, relative to the view. */
  removed: string[];
}

export interface CheckedView {
  folder: string;
  versions: number;
  files: number;
  differences: Difference[];
}

/**
 * Makes a view, or brings it up to date; every byte in it is hashed on the way.
 * @throws RerankTuneError NOT_WRITABLE when the folder holds something else or touches the registry; REGISTRY_NOT_FOUND, REGISTRY_CORRUPT, FOLDER_IN_USE.
 */
export async function buildView(root: string, target: string, options: BuildOptions): Promise<BuiltView> {
  checkOrganization(options.org);
  const folder = await safeFolder(root, target);
  const before = await readMarker(folder);
  if (before === undefined) await refuseContent(folder);
  else if (before.kind !== options.kind) throw refused(`${folder} is a view of the kind ${before.kind}.`);
  const plan = await planView(new CatalogReader(root), options);
  await makeFolder(folder);
  const release = await acquireLock(join(folder, ".rerank-tune-view.lock"));
  const staging = join(folder, `${STAGING}${randomUUID()}`);
  try {
    await dropLeftovers(folder);
    await mkdir(staging);
    return await carryOut(folder, plan, staging, options, before?.owned ?? []);
  } finally {
    await rm(staging, { recursive: true, force: true });
    await release();
  }
}

/** Holds a view against the registry as it is now. @throws RerankTuneError USAGE when the folder is no view of this kind. */
export async function checkView(
  root: string,
  target: string,
  kind: ViewKind,
  onFile?: (done: number, total: number) => void,
): Promise<CheckedView> {
  const folder = resolve(target);
  const marker = await readMarker(folder);
  if (marker?.kind !== kind)
    throw new RerankTuneError({
      code: "USAGE",
      message: `${folder} is no view of the kind ${kind}.`,
      hint: `make one with \`rerank-tune registry view ${kind} FOLDER\``,
    });
  const plan = await planView(new CatalogReader(root), marker);
  const gone = marker.owned.filter((name) => !plan.owned.includes(name));
  const { files, versions } = sizes(plan);
  let done = 0;
  const differences = await compareView(folder, plan, () => onFile?.(++done, files));
  for (const path of gone) differences.push({ path, what: "is no longer in the registry" });
  return { folder, versions, files, differences };
}

/** Versions first, then the names that point to them; what is no longer wanted goes last, and is deleted with the staging folder. */
async function carryOut(
  folder: string,
  plan: ViewPlan,
  staging: string,
  options: BuildOptions,
  owned: readonly string[],
): Promise<BuiltView> {
  const { kind, models, all, org } = options;
  const marker: Marker = { schema: 1, kind, models: [...models], all, org, owned: plan.owned };
  const write = (value: Marker) => replaceFile(join(folder, MARKER), JSON.stringify(value, null, 2));
  // Both lists while it is under way: after a kill nothing of ours is taken for somebody else's.
  await write({ ...marker, owned: [...new Set([...owned, ...plan.owned])] });
  const written = await placeVersions(folder, plan, staging, options);
  for (const [path, text] of plan.texts) {
    await ownFolder(folder, dirname(path));
    await placeText(join(folder, path), text, staging);
  }
  for (const [path, to] of plan.links) await placeLink(join(folder, path), to, staging);
  const removed = [...owned.filter((name) => !plan.owned.includes(name)), ...(await extraEntries(folder, plan))];
  // By a rename each: who reads a version by its own name finds all of it or none.
  for (const path of removed) await setAside(join(folder, path), join(staging, randomUUID()));
  await write(marker);
  return { kind, folder, models: plan.owned.length, ...sizes(plan), ...written, removed };
}

async function placeVersions(
  folder: string,
  plan: ViewPlan,
  staging: string,
  { link, signal, onFile }: BuildOptions,
): Promise<Pick<BuiltView, "bytes_written" | "files_linked">> {
  const { files: total } = sizes(plan);
  const written = { bytes_written: 0, files_linked: 0 };
  let done = 0;
  const count = (file: CatalogFile, linked: boolean, fresh: boolean): void => {
    if (linked) written.files_linked += 1;
    else if (fresh) written.bytes_written += file.bytes;
    onFile?.(++done, total);
  };
  for (const [path, files] of plan.versions) {
    await ownFolder(folder, dirname(path));
    if (await isSound(join(folder, path), files, link))
      for (const file of files) count(file, link && isLinkable(file.path), false);
    else
      await placeVersion(join(folder, path), files, join(staging, randomUUID()), {
        link,
        onFile: (file, linked) => count(file, linked, true),
        ...(signal === undefined ? {} : { signal }),
      });
  }
  return written;
}

/** In a view of copies a file that shares its bytes with the registry is not what was asked for, and the other way round. */
async function isSound(folder: string, files: Parameters<typeof compareVersion>[1], linked: boolean): Promise<boolean> {
  for (const { path, blob } of files) {
    const [here, there] = await Promise.all(
      [join(folder, path), blob].map((name) => lstat(name).catch(() => undefined)),
    );
    const shared = here !== undefined && here.ino === there?.ino && here.dev === there.dev;
    if (shared !== (linked && isLinkable(path) && here?.dev === there?.dev)) return false;
  }
  return (await compareVersion(folder, files)).length === 0;
}

function sizes({ versions }: ViewPlan): { versions: number; files: number; bytes: number } {
  const files = [...versions.values()].flat();
  return { versions: versions.size, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** A view inside the registry would be taken for a part of it, and one around it could take it out. */
async function safeFolder(root: string, target: string): Promise<string> {
  const folder = resolve(target);
  const inside = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}${sep}`);
  const [real, store] = await Promise.all([realPath(folder), realPath(resolve(root))]);
  if (inside(real, store) || inside(store, real)) throw refused(`${folder} touches the registry ${root}.`);
  return folder;
}

/** Of the deepest part that exists. */
async function realPath(path: string): Promise<string> {
  const found = await realpath(path).catch(() => undefined);
  if (found !== undefined || dirname(path) === path) return found ?? path;
  return join(await realPath(dirname(path)), path.slice(dirname(path).length));
}

async function readMarker(folder: string): Promise<Marker | undefined> {
  const text = await readFile(join(folder, MARKER), "utf8").catch((error) => {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error; // a marker that cannot be read does not make the folder somebody else's
  });
  return text === undefined ? undefined : markerSchema.safeParse(jsonOf(text)).data;
}

async function refuseContent(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  // A builder that was killed at its very start leaves only names of ours.
  const foreign = names.filter((name) => !name.startsWith(".rerank-tune-"));
  if (foreign.length > 0) throw refused(`${folder} has content that is no view (${foreign.slice(0, 3).join(", ")}).`);
}

/** Of builders that were killed; the caller holds the lock. */
async function dropLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (name.startsWith(STAGING) || (name.startsWith(MARKER) && name !== MARKER))
      await rm(join(folder, name), { recursive: true, force: true });
}

const refused = (message: string): RerankTuneError =>
  new RerankTuneError({ code: "NOT_WRITABLE", message, hint: "name a new or empty folder, or one of the same kind" });
