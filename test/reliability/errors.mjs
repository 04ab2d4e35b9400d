// R3: real calls fail with real error numbers, injected by strace: 5 errors x 5 kinds of calls x 8 positions.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { verifyProblems } from "./harness/state.mjs";
import { countCalls, namesUsed, strike } from "./harness/strike.mjs";
import { CALLS } from "./harness/traced.mjs";
import { checkAfterCut, prepareOperation, stateOf, workFolder } from "./harness/trials.mjs";

const ERRORS = ["ENOSPC", "EIO", "EMFILE", "EACCES", "EDQUOT"];
const KINDS = ["open", "write", "fsync", "rename", "link"];
const POSITIONS = 8;
const OPERATIONS = ["createRegistry", "secondVersion", "moveAlias", "afterCrash", "collect", "pull"];

export async function measure({ build, product, short, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  const endings = {};
  try {
    const prepared = [];
    for (const name of short ? ["secondVersion"] : OPERATIONS)
      prepared.push(await prepareOperation(product, work.folder, name));
    for (const kind of KINDS) {
      const spots = await spread(build, prepared, CALLS[kind], short ? 1 : POSITIONS);
      for (const error of short ? ["ENOSPC", "EIO"] : ERRORS)
        for (const spot of spots) {
          const { ending, complaints } = await failAt({ build, product, error, ...spot });
          endings[ending] = (endings[ending] ?? 0) + 1;
          result.tried += 1;
          if (complaints.length === 0) result.passed += 1;
          else
            result.failures.push(
              `${error} at ${kind} ${spot.call + 1} of ${spot.operation.name}: ${complaints.join("; ")}`,
            );
        }
    }
  } finally {
    await work.remove();
  }
  for (const [ending, count] of Object.entries(endings).sort()) log(`${ending}: ${count}`);
  return result;
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
  complaints.push(...(await leftBehind(place, operation.original)).map((path) => `left behind: ${path}`));
  complaints.push(...(await verifyProblems(product, place)).map((problem) => `verify: ${problem}`));
  complaints.push(...(await checkAfterCut(product, operation, place)).complaints);
  await rm(place.folder, { recursive: true, force: true });
  const ending = code === 0 ? "went on without what failed" : `${result?.code ?? "no code"}, ${state} state`;
  return { ending, complaints };
}

/** Names that a command has to clear away when it fails; what a crash before it had left is not its own. */
async function leftBehind(place, original) {
  const names = async ({ folder, root }) => {
    const found = await Promise.all([root, join(root, "tmp"), folder].map((path) => readdir(path).catch(() => [])));
    return found.flatMap((list, place) => list.map((name) => `${["", "tmp/", "../"][place]}${name}`));
  };
  const before = new Set(await names(original));
  const passing = (name) => /^tmp\/|\.tmp$|^\.lock|\.partial-/.test(name);
  return (await names(place)).filter((name) => passing(name) && !before.has(name));
}
