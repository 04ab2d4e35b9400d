// R6: lock files as crashes, other machines, clocks and hostile hands leave them, each with the outcome that is documented.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { workFolder } from "./harness/trials.mjs";

const DAY_MS = 86_400_000;
const self = () => ({ pid: process.pid, host: hostname() });

/** `taken`: the lock is got within the wait; `in use`: FOLDER_IN_USE, with the file named in the hint. */
const CASES = {
  "a dead process": {
    outcome: "taken",
    make: async (path) => await write(path, { ...self(), pid: await deadProcess() }),
  },
  "a live process": { outcome: "in use", make: (path) => write(path, self()) },
  "a number that another process has now": { outcome: "taken", make: (path) => write(path, { ...self(), start: "1" }) },
  "an earlier boot of this machine": {
    outcome: "taken",
    make: (path) => write(path, { ...self(), boot: "00000000-0000-0000-0000-000000000000" }),
  },
  "another host": { outcome: "in use", make: (path) => write(path, { pid: 999_999_999, host: "elsewhere" }) },
  "another host, a day old": {
    outcome: "in use",
    make: async (path) => await aged(path, { pid: 1, host: "elsewhere" }, -DAY_MS),
  },
  "an empty file, just made": { outcome: "in use", make: (path) => writeFile(path, "") },
  "an empty file, a day old": { outcome: "taken", make: async (path) => await aged(path, "", -DAY_MS) },
  "an empty file, a day ahead": { outcome: "taken", make: async (path) => await aged(path, "", DAY_MS) },
  "zeros of a torn write": { outcome: "taken", make: async (path) => await aged(path, "\0".repeat(60), -DAY_MS) },
  "JSON that names no process": {
    outcome: "taken",
    make: async (path) => await aged(path, '{"pid":"all","host":7}', -DAY_MS),
  },
  "a process number that means many": {
    outcome: "taken",
    make: async (path) => await aged(path, { pid: -1, host: hostname() }, -DAY_MS),
  },
  "a folder in its place": { outcome: "in use", make: (path) => mkdir(path) },
  "a link to itself": { outcome: "in use", make: (path) => symlink(".lock", path) },
  "a takeover that was killed": {
    outcome: "taken",
    make: async (path) => {
      const dead = { ...self(), pid: await deadProcess() };
      await write(path, dead);
      await write(`${path}.takeover`, dead);
    },
  },
};

export async function measure({ product, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  try {
    for (const [name, { outcome, make }] of Object.entries(CASES)) {
      const path = join(work.folder, String(result.tried), ".lock");
      await mkdir(join(path, ".."));
      await make(path);
      note(result, name, outcome, await attempt(product, path));
    }
    note(
      result,
      "removed by hand, taken by a third",
      "kept",
      await removedByHand(product, join(work.folder, "by-hand", ".lock")),
    );
    note(
      result,
      "twenty who want a dead one's",
      "one at a time",
      await twenty(product, join(work.folder, "twenty", ".lock")),
    );
  } finally {
    await work.remove();
  }
  log(`${result.tried} cases`);
  return result;
}

function note(result, name, expected, found) {
  result.tried += 1;
  if (found === expected) result.passed += 1;
  else result.failures.push(`${name}: expected ${expected}, found ${found}`);
}

async function attempt({ acquireLock, RerankTuneError }, path) {
  try {
    const release = await acquireLock(path, { waitMs: 400 });
    const { pid } = JSON.parse(await readFile(path, "utf8"));
    await release();
    return pid === process.pid ? "taken" : `taken, but it names ${pid}`;
  } catch (error) {
    if (!(error instanceof RerankTuneError)) return `a raw ${error.code ?? error.name}: ${error.message}`;
    return error.code === "FOLDER_IN_USE" && error.hint.includes(path) ? "in use" : `${error.code}: ${error.hint}`;
  }
}

/** Giving back must not take a lock away that meanwhile belongs to another. */
async function removedByHand({ acquireLock }, path) {
  const release = await acquireLock(path);
  await rm(path);
  await write(path, { pid: process.pid, host: "elsewhere" });
  await release();
  return (await readFile(path, "utf8").catch(() => "")).includes("elsewhere") ? "kept" : "taken away";
}

async function twenty({ acquireLock }, path) {
  await mkdir(join(path, ".."));
  await write(path, { ...self(), pid: await deadProcess() });
  let [inside, most] = [0, 0];
  const turn = async () => {
    const release = await acquireLock(path, { waitMs: 60_000 });
    inside += 1;
    most = Math.max(most, inside);
    await sleep(2);
    inside -= 1;
    await release();
  };
  await Promise.all(Array.from({ length: 20 }, turn));
  return most === 1 ? "one at a time" : `${most} at once`;
}

async function write(path, holder) {
  await writeFile(path, typeof holder === "string" ? holder : JSON.stringify(holder));
}

async function aged(path, holder, milliseconds) {
  await write(path, holder);
  const time = new Date(Date.now() + milliseconds);
  await utimes(path, time, time);
}

async function deadProcess() {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid;
}
