// What all measurements on single operations share: the old state, the new state, and fresh copies of the old one.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { operations } from "./operations.mjs";
import { ageLocks, differences, tree, verifyProblems, view } from "./state.mjs";
import { makePlace, settle, writeSources } from "./versions.mjs";

/** A working folder in memory where there is one: thousands of trials would wear a disk out for nothing. */
export async function workFolder() {
  const folder = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rerank-tune-reliability-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Prepares an operation once and finds out how its states look. */
export async function prepareOperation(product, work, name) {
  const sources = await writeSources(join(work, "sources"));
  const original = await makePlace(join(work, name, "original"), sources);
  const { prepare, run, look = view, leaves = treeOf } = operations[name];
  await prepare(product, original);
  const clean = await copyOf(original, join(work, name, "clean"));
  const old = await look(product, clean);
  await run(product, clean);
  const after = { view: await look(product, clean), tree: await leaves(product, clean) };
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

const treeOf = async (_, place) => await tree(place.folder);

/** With its links, hard ones too, which Node's own copy does not keep. */
async function copyOf(place, folder) {
  await mkdir(dirname(folder), { recursive: true });
  await promisify(execFile)("cp", ["-a", place.folder, folder]);
  return await makePlace(folder, place.sources);
}

/**
 * What must hold after an operation was cut off: old or new state, nothing damaged, and the same command again succeeds and leaves what a clean run leaves.
 * @returns complaints; none when all is well.
 */
export async function checkAfterCut(product, operation, place, mustBeNew = false) {
  const { run, once, leaves = treeOf } = operations[operation.name];
  const { state, seen, complaints } = await stateOf(product, operation, place, mustBeNew);
  complaints.push(...(await verifyProblems(product, place)).map((problem) => `verify: ${problem}`));
  await ageLocks(place.folder);
  try {
    if (once === true && seen === operation.after.view) await settle(product, place);
    else await run(product, place);
  } catch (error) {
    complaints.push(`the same again failed: ${error.message}`);
  }
  complaints.push(
    ...(await verifyProblems(product, place)).map((problem) => `verify after the same again: ${problem}`),
  );
  complaints.push(
    ...differences(await leaves(product, place), operation.after.tree).map(
      (text) => `left after the same again: ${text}`,
    ),
  );
  return { complaints, state };
}

/** Old or new; between them where an operation may be, with what is wrong there; else neither. */
export async function stateOf(product, operation, place, mustBeNew = false) {
  const { look = view, between } = operations[operation.name];
  let failure;
  const seen = await look(product, place).catch((error) => {
    failure = `unreadable: ${error.message}`;
  });
  if (seen === operation.after.view) return { state: "new", seen, complaints: [] };
  if (seen === operation.old && !mustBeNew) return { state: "old", seen, complaints: [] };
  if (failure !== undefined || between === undefined || mustBeNew)
    return { state: "neither", seen, complaints: [`neither old nor new: ${(failure ?? seen).slice(0, 300)}`] };
  return { state: "between", seen, complaints: await between(product, place, seen, operation) };
}
