// What all measurements on single operations share: the old state, the new state, and fresh copies of the old one.

import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePlace, operations, settle, writeSources } from "./operations.mjs";
import { ageLocks, differences, tree, verifyProblems, view } from "./state.mjs";

/** A working folder in memory where there is one: thousands of trials would wear a disk out for nothing. */
export async function workFolder() {
  const folder = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rerank-tune-reliability-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Prepares an operation once and finds out how its states look. */
export async function prepareOperation(product, work, name) {
  const sources = await writeSources(join(work, "sources"));
  const original = await makePlace(join(work, name, "original"), sources);
  await operations[name].prepare(product, original);
  const clean = await copyOf(original, join(work, name, "clean"));
  const old = await view(product, clean);
  await operations[name].run(product, clean);
  const after = { view: await view(product, clean), tree: await tree(clean.folder) };
  let count = 0;
  return {
    name,
    original,
    old,
    after,
    /** A fresh copy of the old state. */
    trial: async () => {
      const folder = join(work, name, "trials", String(++count));
      return await copyOf(original, folder);
    },
  };
}

async function copyOf(place, folder) {
  await cp(place.folder, folder, { recursive: true, preserveTimestamps: true });
  return await makePlace(folder, place.sources);
}

/**
 * What must hold after an operation was cut off: old or new state, nothing damaged, and the same command again succeeds and leaves what a clean run leaves.
 * @returns complaints; none when all is well.
 */
export async function checkAfterCut(product, operation, place, mustBeNew = false) {
  const complaints = [];
  const seen = await view(product, place).catch((error) => `unreadable: ${error.message}`);
  const allowed = mustBeNew ? [operation.after.view] : [operation.old, operation.after.view];
  if (!allowed.includes(seen)) complaints.push(`neither old nor new: ${seen.slice(0, 300)}`);
  complaints.push(...(await verifyProblems(product, place)).map((problem) => `verify: ${problem}`));
  await ageLocks(place.root);
  try {
    const { run, once } = operations[operation.name];
    if (once === true && seen === operation.after.view) await settle(product, place);
    else await run(product, place);
  } catch (error) {
    complaints.push(`the same again failed: ${error.message}`);
  }
  complaints.push(
    ...(await verifyProblems(product, place)).map((problem) => `verify after the same again: ${problem}`),
  );
  complaints.push(
    ...differences(await tree(place.folder), operation.after.tree).map((text) => `left after the same again: ${text}`),
  );
  return { complaints, state: seen === operation.old ? "old" : seen === operation.after.view ? "new" : "neither" };
}
