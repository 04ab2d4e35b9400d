// R3: real calls fail with real error numbers, injected by strace: 5 errors x 5 kinds of calls x 8 positions, for the registry's own operations and again for those that are made from it.
import { readdir, rm } from "node:fs/promises";
import { verifyProblems } from "./harness/state.mjs";
import { countCalls, namesUsed, strike } from "./harness/strike.mjs";
import { CALLS } from "./harness/traced.mjs";
import { checkAfterCut, prepareOperation, stateOf, workFolder } from "./harness/trials.mjs";

/** Number of the error to the name that it must get. */
const ERRORS = {
  ENOSPC: "DISK_FULL",
  EIO: "FILE_SYSTEM_FAILED",
  EMFILE: "FILE_SYSTEM_FAILED",
  EACCES: "NOT_WRITABLE",
  EDQUOT: "DISK_FULL",
};
const KINDS = ["open", "write", "fsync", "rename", "link"];
const POSITIONS = 8;
const GROUPS = [
  ["createRegistry", "secondVersion", "moveAlias", "afterCrash", "collect", "pull"],
  ["sign", "evidence", "updateHub", "updateFolders", "mirror", "fetch"],
];
const SHORT = [["secondVersion"]];

export async function measure({ build, product, short, named, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  try {
    for (const names of named === undefined ? (short ? SHORT : GROUPS) : [named]) {
      const endings = {};
      const prepared = [];
      for (const name of names) prepared.push(await prepareOperation(product, work.folder, name));
      for (const kind of KINDS)
        for (const spot of await spread(build, prepared, CALLS[kind], short ? 1 : POSITIONS))
          for (const error of short ? ["ENOSPC", "EIO"] : Object.keys(ERRORS))
            await failAndCount({ build, product, error, kind, result, endings, ...spot });
      log(names.join(", "));
      for (const [ending, count] of Object.entries(endings).sort()) log(`  ${ending}: ${count}`);
    }
  } finally {
    await work.remove();
  }
  return result;
}

async function failAndCount({ kind, result, endings, ...trial }) {
  const { ending, complaints } = await failAt(trial);
  endings[ending] = (endings[ending] ?? 0) + 1;
  result.tried += 1;
  const where = `${trial.error} at ${kind} ${trial.call + 1} of ${trial.operation.name}`;
  if (complaints.length === 0) result.passed += 1;
  else result.failures.push(`${where}: ${complaints.join("; ")}`);
}

/** Calls of a kind, evenly spread over all that the operations make. */
async function spread(build, prepared, calls, count) {
  const all = [];
  for (const operation of prepared) {
    for (const name of await namesUsed({ build, operation, calls })) {
      const starts = await countCalls({ build, operation, calls: [name] });
      all.push(...starts.map((start, call) => ({ operation, calls: [name], call, start })));
    }
  }
  return Array.from(
    { length: Math.min(count, all.length) },
    (_, index) => all[Math.floor(((index + 0.5) * all.length) / count)],
  );
}

async function failAt({ build, product, error, operation, calls, call, start }) {
  const run = await strike({ build, operation, calls, call, start, fault: `error=${error}` });
  const complaints = [];
  const { code, signal, result, complaints: printed, place } = run;
  const { state } = await stateOf(product, operation, place);
  if (signal !== null) complaints.push(`it ended with ${signal}`);
  if (printed !== "") complaints.push(`it printed ${printed.slice(0, 200)}`);
  if (code === 0 && state !== "new") complaints.push("success, and yet not the new state");
  if (code !== 0 && !(result?.named === true && result.hint?.length > 0))
    complaints.push(`no named cause: ${JSON.stringify(result)}`);
  if (code !== 0 && result?.code !== ERRORS[error]) complaints.push(`the cause was called ${result?.code}`);
  complaints.push(...(await leftBehind(place, operation.original)).map((path) => `left behind: ${path}`));
  complaints.push(...(await verifyProblems(product, place)).map((problem) => `verify: ${problem}`));
  complaints.push(...(await checkAfterCut(product, operation, place)).complaints);
  await rm(place.folder, { recursive: true, force: true });
  const ending = code === 0 ? "went on without what failed" : `${result?.code ?? "no code"}, ${state} state`;
  return { ending, complaints };
}

/** Names that a command has to clear away when it fails; what a crash before it had left is not its own, and a download is kept to go on. */
async function leftBehind(place, original) {
  const names = async ({ folder }) => await readdir(folder, { recursive: true }).catch(() => []);
  const before = new Set(await names(original));
  const passing = /^registry\/tmp\/|\.tmp$|\.lock$|\.lock\.|\.partial-|staging-/;
  return (await names(place)).filter((name) => passing.test(name) && !before.has(name));
}
