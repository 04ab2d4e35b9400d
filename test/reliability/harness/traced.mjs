// Starts an operation with strace attached to the thread that does its file work, so that calls are counted one after another.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

const HERE = import.meta.dirname;

/** System calls that change what is on a disk, or open a file. Reading and asking change nothing. */
export const CALLS = {
  open: ["openat", "open", "creat"],
  write: ["write", "writev", "pwrite64", "pwritev", "copy_file_range", "sendfile", "fallocate"],
  fsync: ["fsync", "fdatasync"],
  rename: ["rename", "renameat", "renameat2"],
  link: ["link", "linkat", "symlink", "symlinkat"],
  other: [
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "chmod",
    "fchmod",
    "fchmodat",
    "truncate",
    "ftruncate",
    "close",
  ],
};
export const ALL_CALLS = Object.values(CALLS).flat();

/**
 * Runs an operation under strace.
 * @param calls names of the calls to watch and count. @param inject a rule of `strace -e` on them, or undefined to watch alone.
 * @returns the trace, the exit code or signal, and the last line that the child printed.
 */
export async function runTraced({ build, operation, place, calls = ALL_CALLS, inject }) {
  const trace = join(place.folder, "..", `${operation}.${process.pid}.trace`);
  const child = spawn(
    process.execPath,
    ["-r", join(HERE, "pool.cjs"), join(HERE, "child.mjs"), build, operation, place.folder, place.sources],
    {
      env: { ...process.env, UV_THREADPOOL_SIZE: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  const ended = once(child, "exit");
  let complaints = "";
  child.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { threads } = JSON.parse((await lines.next()).value ?? "{}");
  if (threads?.length !== 1)
    throw new Error(`the child has no single pool thread: ${JSON.stringify(threads)} ${complaints}`);
  const strace = await attach(threads[0], trace, calls, inject);
  child.stdin.write("go\n");
  const last = (await lines.next()).value;
  const [code, signal] = await ended;
  await strace.ended;
  return {
    trace: await readFile(trace, "latin1"),
    code,
    signal,
    result: last === undefined ? undefined : JSON.parse(last),
    complaints,
  };
}

async function attach(thread, trace, calls, inject) {
  const rules = [`trace=${calls.map((name) => `?${name}`).join()}`, ...(inject === undefined ? [] : [inject])];
  const strace = spawn(
    "strace",
    ["-p", thread, "-xx", "-s", "1000000", "-o", trace, ...rules.flatMap((rule) => ["-e", rule])],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const ended = once(strace, "exit");
  let said = "";
  await new Promise((attached, failed) => {
    strace.on("error", (error) => failed(new Error(`strace is needed for this: ${error.message}`)));
    strace.on("exit", () => failed(new Error(`strace could not attach: ${said}`)));
    strace.stderr.on("data", (chunk) => {
      said += chunk;
      if (said.includes("attached")) attached();
    });
  });
  return { ended };
}
