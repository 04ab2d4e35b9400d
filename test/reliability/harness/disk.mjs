// A model of a disk that keeps what was flushed and may lose, cut or reorder everything else. Fed with the calls of a real run; POSIX promises no more than this.
import { chmod, link, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** @returns inode 0 with everything below `folder`, all of it safe on the disk. */
export async function readDisk(folder) {
  const inodes = [];
  const seen = new Map();
  const read = async (path) => {
    const found = await lstat(path);
    const inode = { id: inodes.length, mode: found.mode & 0o777, folder: found.isDirectory() };
    if (found.nlink > 1 && !inode.folder) {
      const same = seen.get(found.ino);
      if (same !== undefined) return same;
      seen.set(found.ino, inode.id);
    }
    inodes.push(inode);
    if (found.isSymbolicLink()) inode.target = await readlink(path);
    else if (!inode.folder) inode.bytes = await readFile(path);
    else {
      inode.entries = new Map();
      for (const name of await readdir(path)) inode.entries.set(name, await read(join(path, name)));
    }
    return inode.id;
  };
  await read(folder);
  return inodes;
}

/**
 * What the calls of a run do to a disk, one change each, with the flush that makes it safe.
 * @param calls as `parseTrace` gives them. @param folder path of inode 0 in that run.
 * @returns changes `{ call, safe, ... }`: made by the call of that number, safe from the call numbered `safe` on (Infinity: never).
 */
export function changesOf(inodes, calls, folder) {
  const run = { live: structuredClone(inodes), changes: [], open: new Map(), folder };
  for (const [number, call] of calls.entries()) if (call.result >= 0) apply(run, call, number);
  return { changes: run.changes, count: inodes.length, created: run.live.slice(inodes.length) };
}

function apply(run, call, number) {
  const add = (change) => run.changes.push({ call: number, safe: Number.POSITIVE_INFINITY, ...change });
  const [first, second] = call.strings.map((bytes) => bytes.toString());
  const name = call.name.replace(/(at2?|64)$/, "");
  if (name === "open") return open(run, call, first, add);
  if (name === "mkdir") return enter(run, first, create(run, { folder: true, mode: 0o755, entries: new Map() }), add);
  if (name === "link") return enter(run, second, find(run, first), add);
  if (name === "symlink") return enter(run, second, create(run, { folder: false, mode: 0o777, target: first }), add);
  if (name === "unlink" || name === "rmdir") return enter(run, first, undefined, add);
  if (name === "rename") return rename(run, first, second, add);
  if (name === "chmod" || name === "fchmod") {
    const inode = name === "chmod" ? find(run, first) : run.open.get(call.descriptor)?.inode;
    return inode === undefined ? undefined : add({ kind: "mode", inode, mode: modeOf(call) });
  }
  if (name === "truncate") return cut(run, find(run, first), Number(call.parameters.split(", ").at(-1)), add);
  if (name === "ftruncate")
    return cut(run, run.open.get(call.descriptor)?.inode, Number(call.parameters.split(", ").at(-1)), add);
  if (name === "fsync" || name === "fdatasync") return flush(run, call, number);
  if (name === "write" || name === "writev")
    return write(run, call.descriptor, Buffer.concat(call.strings).subarray(0, call.result), add);
  if (name === "copy_file_range" || name === "sendfile") return copy(run, call, add);
  if (name !== "close") throw new Error(`${call.name} is not modelled`);
}

function create(run, inode) {
  run.live.push({ id: run.live.length, bytes: Buffer.alloc(0), ...inode });
  return run.live.length - 1;
}

/** @returns the inode of a path, or undefined outside the modelled folder. */
function find(run, path) {
  if (path === run.folder) return 0;
  if (!path.startsWith(`${run.folder}/`)) return undefined;
  let inode = 0;
  for (const part of path.slice(run.folder.length + 1).split("/")) inode = run.live[inode]?.entries?.get(part);
  return inode;
}

function open(run, call, path, add) {
  let inode = find(run, path);
  if (inode === undefined && call.parameters.includes("O_CREAT")) {
    inode = create(run, { folder: false, mode: modeOf(call) & ~process.umask() });
    enter(run, path, inode, add);
  } else if (inode !== undefined && call.parameters.includes("O_TRUNC")) cut(run, inode, 0, add);
  run.open.set(String(call.result), { inode, offset: 0, append: call.parameters.includes("O_APPEND") });
}

/** A name that points to an inode, or to none any more. */
function enter(run, path, inode, add) {
  const folder = find(run, dirname(path));
  if (folder === undefined) return;
  setEntry(run.live, folder, basename(path), inode);
  add({ kind: "entry", folder, name: basename(path), inode });
}

/** Both names change together: a rename is atomic wherever it is promised at all. */
function rename(run, from, to, add) {
  const inode = find(run, from);
  const [source, target] = [find(run, dirname(from)), find(run, dirname(to))];
  setEntry(run.live, source, basename(from), undefined);
  setEntry(run.live, target, basename(to), inode);
  add({ kind: "rename", folder: target, name: basename(to), source, sourceName: basename(from), inode });
}

function write(run, descriptor, bytes, add) {
  const file = run.open.get(descriptor);
  if (file?.inode === undefined || bytes.length === 0) return;
  const before = run.live[file.inode];
  const offset = file.append ? before.bytes.length : file.offset;
  file.offset = offset + bytes.length;
  before.bytes = overwrite(before.bytes, offset, bytes);
  add({ kind: "data", inode: file.inode, offset, bytes });
}

/** `copy_file_range(from, …, to, …)` and `sendfile(to, from, …)`, both from one file of the modelled folder to another. */
function copy(run, call, add) {
  const descriptors = call.parameters.split(", ");
  const [from, to] = call.name === "sendfile" ? [descriptors[1], descriptors[0]] : [descriptors[0], descriptors[2]];
  const source = run.open.get(from);
  if (source?.inode === undefined) throw new Error(`${call.name} from outside is not modelled`);
  const start = source.read ?? 0;
  source.read = start + call.result;
  write(run, to, run.live[source.inode].bytes.subarray(start, start + call.result), add);
}

/** The last octal number of a call. */
function modeOf({ parameters }) {
  return Number.parseInt(/0[0-7]+/.exec(parameters.split(",").at(-1))[0], 8) & 0o777;
}

function cut(run, inode, length, add) {
  run.live[inode].bytes = run.live[inode].bytes.subarray(0, length);
  add({ kind: "cut", inode, length });
}

/** A flushed file has its bytes and mode safe, a flushed folder its names; a file's own name is not safe by that. */
function flush(run, call, number) {
  const inode = run.open.get(call.descriptor)?.inode;
  for (const change of run.changes) {
    const own = run.live[inode]?.folder
      ? change.folder === inode || change.source === inode
      : change.folder === undefined && change.inode === inode;
    if (own) change.safe = Math.min(change.safe, number);
  }
}

function overwrite(bytes, offset, more) {
  const whole = Buffer.alloc(Math.max(bytes.length, offset + more.length));
  whole.set(bytes);
  whole.set(more, offset);
  return whole;
}

function setEntry(inodes, folder, name, inode) {
  if (inode === undefined) inodes[folder].entries.delete(name);
  else inodes[folder].entries.set(name, inode);
}

/**
 * The disk after a crash behind `calls` calls.
 * @param fate says of each change that is not safe yet: "kept", "lost", or for bytes "half" or "zeros".
 */
export function crashed(inodes, { changes, created }, calls, fate) {
  const disk = [...inodes, ...created].map((inode) => ({
    ...inode,
    ...(inode.id >= inodes.length ? { bytes: Buffer.alloc(0) } : {}),
    ...(inode.folder ? { entries: new Map(inode.id < inodes.length ? inode.entries : []) } : {}),
  }));
  for (const change of changes) {
    if (change.call >= calls) break;
    const outcome = change.safe < calls ? "kept" : fate(change);
    if (outcome !== "lost") happen(disk, change, outcome);
  }
  return disk;
}

function happen(disk, change, outcome) {
  const inode = disk[change.inode];
  if (change.kind === "entry") setEntry(disk, change.folder, change.name, change.inode);
  else if (change.kind === "rename") {
    setEntry(disk, change.source, change.sourceName, undefined);
    setEntry(disk, change.folder, change.name, change.inode);
  } else if (change.kind === "mode") inode.mode = change.mode;
  else if (change.kind === "cut") inode.bytes = inode.bytes.subarray(0, change.length);
  else inode.bytes = overwrite(inode.bytes, change.offset, torn(change.bytes, outcome));
}

function torn(bytes, outcome) {
  if (outcome === "half") return bytes.subarray(0, Math.ceil(bytes.length / 2));
  return outcome === "zeros" ? Buffer.alloc(bytes.length) : bytes;
}

/** Writes the disk below a folder. @returns nothing; names that lead nowhere are not on it. */
export async function materialize(disk, folder, inode = disk[0], made = new Map()) {
  const before = made.get(inode.id);
  if (before !== undefined) return void (await link(before, folder));
  if (inode.target !== undefined) return void (await symlink(inode.target, folder));
  if (!inode.folder) {
    await writeFile(folder, inode.bytes);
    await chmod(folder, inode.mode);
    made.set(inode.id, folder);
    return;
  }
  await mkdir(folder, { recursive: true });
  for (const [name, child] of inode.entries) await materialize(disk, join(folder, name), disk[child], made);
}

/** A text that two disks share exactly when they are the same. */
export function fingerprint(disk, inode = disk[0]) {
  if (inode.target !== undefined) return `-> ${inode.target}`;
  if (!inode.folder) return `${inode.mode}:${Buffer.from(inode.bytes).toString("base64")}`;
  return `{${[...inode.entries]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, child]) => `${name}=${fingerprint(disk, disk[child])}`)
    .join(",")}}`;
}
