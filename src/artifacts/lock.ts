// One writer at a time in a folder, by a file that names the process holding it. A lock left by a dead process of this host is taken over.
import { mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fromFileSystemError, RerankTuneError } from "../errors.js";

interface Holder {
  pid: number;
  host: string;
}

export interface LockOptions {
  /** Milliseconds to wait for a live holder; 0 fails at once. */
  waitMs?: number;
  /** What the user can do when the folder is in use. */
  hint?: string;
}

/** A lock or takeover file without content is being written; older than this, its writer died in between. */
const TORN_MS = 5000;

/**
 * Takes the lock file at `path`.
 * @returns a function that gives it back.
 * @throws RerankTuneError FOLDER_IN_USE when a live process holds it longer than `waitMs`; NOT_WRITABLE, DISK_FULL.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<() => Promise<void>> {
  const deadline = Date.now() + (options.waitMs ?? 0);
  await mkdir(dirname(path), { recursive: true }).catch((error) => rethrow(error, dirname(path)));
  for (;;) {
    if (await tryCreate(path)) return () => rm(path, { force: true });
    const holder = await readHolder(path);
    if (holder === undefined ? await isTorn(path) : isDead(holder)) await removeStale(path, holder);
    else if (Date.now() >= deadline) throw inUse(path, holder, options.hint);
    else await sleep(50);
  }
}

async function tryCreate(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    return rethrow(error, path);
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined; // being written or just removed: the caller looks again
  }
}

function isDead(holder: Holder): boolean {
  if (holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

async function isTorn(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > TORN_MS;
}

/** Two waiters may both see a dead holder: only the one that gets the guard removes the lock, and it looks once more first. */
async function removeStale(path: string, seen: Holder | undefined): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await tryCreate(guard))) {
    const holder = await readHolder(guard);
    // a guard is held for milliseconds: one that outlives its process was left by a kill
    if (holder === undefined ? await isTorn(guard) : isDead(holder)) await rm(guard, { force: true });
    return void (await sleep(20));
  }
  try {
    const current = await readHolder(path);
    if (current?.pid === seen?.pid && current?.host === seen?.host) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function inUse(path: string, holder: Holder | undefined, hint?: string): RerankTuneError {
  const who = holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}`;
  return new RerankTuneError({
    code: "FOLDER_IN_USE",
    message: `${dirname(path)} is in use by ${who}.`,
    hint:
      hint ?? `wait for it to end, or choose another folder with --artifacts; if that process is gone, remove ${path}`,
  });
}

function rethrow(error: unknown, path: string): never {
  throw fromFileSystemError(error, path) ?? error;
}
