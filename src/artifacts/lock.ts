// One writer at a time in a folder, by a file that names the process holding it. A lock left by a dead process of this host is taken over.
import { mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { fromFileSystemError, RerankTuneError } from "../errors.js";
import { jsonOf } from "./json-value.js";
import { bootId, isAlive, startOf } from "./process-identity.js";

const holderSchema = z.object({
  pid: z.int().min(1),
  host: z.string(),
  /** Boot of the machine and start of the process: numbers of processes come again. */
  boot: z.string().optional(),
  start: z.string().optional(),
});
type Holder = z.infer<typeof holderSchema>;

export interface LockOptions {
  /** Milliseconds to wait for a live holder; 0 fails at once. */
  waitMs?: number;
  /** What the user can do when the folder is in use. */
  hint?: string;
}

/** A lock or takeover file without content is being written; older than this, or from the future, its writer died in between. */
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
    if (await tryCreate(path)) return () => giveBack(path);
    const seen = await look(path);
    if (await isStale(path, seen)) await removeStale(path, seen);
    else if (Date.now() >= deadline) throw inUse(path, seen, options.hint);
    else await sleep(50);
  }
}

function self(): Holder {
  return { pid: process.pid, host: hostname(), boot: bootId(), start: startOf(process.pid) };
}

async function tryCreate(path: string): Promise<boolean> {
  const file = await open(path, "wx").catch((error) => {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    return rethrow(error, path);
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(JSON.stringify(self()));
    await file.close();
    return true;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    return rethrow(error, path);
  }
}

/** Not where it says another's name: someone removed it by hand, and a third took it. */
async function giveBack(path: string): Promise<void> {
  const seen = await look(path);
  if (seen.unreadable === true || JSON.stringify(seen.holder) === JSON.stringify(self()))
    await rm(path, { force: true });
}

/** What the file says. `unreadable` is believed to be held: it is there, and nobody knows by whom. */
interface Seen {
  holder?: Holder;
  unreadable?: boolean;
}

async function look(path: string): Promise<Seen> {
  try {
    const holder = holderSchema.safeParse(jsonOf(await readFile(path, "utf8"))).data;
    return holder === undefined ? {} : { holder };
  } catch (error) {
    // gone: just given back, the caller looks again
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? {} : { unreadable: true };
  }
}

async function isStale(path: string, { holder, unreadable }: Seen): Promise<boolean> {
  if (unreadable === true) return false;
  return holder === undefined ? await isTorn(path) : isDead(holder);
}

function isDead({ pid, host, boot, start }: Holder): boolean {
  if (host !== hostname()) return false;
  return differ(boot, bootId()) || !isAlive(pid) || differ(start, startOf(pid));
}

function differ(left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && right !== undefined && left !== right;
}

async function isTorn(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > TORN_MS;
}

/** Two waiters may both see a dead holder: only the one that gets the guard removes the lock, and it looks once more first. */
async function removeStale(path: string, seen: Seen): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await tryCreate(guard))) {
    // a guard is held for milliseconds: one that outlives its process was left by a kill
    if (await isStale(guard, await look(guard))) await rm(guard, { force: true });
    return void (await sleep(20));
  }
  try {
    if (JSON.stringify(await look(path)) === JSON.stringify(seen)) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function inUse(path: string, { holder }: Seen, hint?: string): RerankTuneError {
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
