// R1: the process is killed at every system call that touches a file, of every operation.
import { rm } from "node:fs/promises";
import { operations } from "./harness/operations.mjs";
import { countCalls, namesUsed, strike } from "./harness/strike.mjs";
import { ALL_CALLS } from "./harness/traced.mjs";
import { checkAfterCut, prepareOperation, workFolder } from "./harness/trials.mjs";

export async function measure({ build, product, short, named, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  try {
    for (const name of named ?? (short ? ["secondVersion", "pull", "updateFolders"] : Object.keys(operations))) {
      const operation = await prepareOperation(product, work.folder, name);
      const counted = { tried: 0, old: 0, new: 0, between: 0, neither: 0 };
      for (const call of await namesUsed({ build, operation, calls: ALL_CALLS })) {
        const { states, failures } = await killAtEach({ build, product, operation, name: call, every: short ? 9 : 1 });
        for (const state of states) counted[state] += 1;
        counted.tried += states.length;
        result.tried += states.length;
        result.passed += states.length - failures.length;
        result.failures.push(...failures);
      }
      const parts = counted.between > 0 ? `, ${counted.between} whole parts of it` : "";
      log(`${name}: ${counted.tried} kills, ${counted.old} left the old state, ${counted.new} the new one${parts}`);
    }
  } finally {
    await work.remove();
  }
  return result;
}

/** At each invocation of one system call; strace counts every call by its own name. */
async function killAtEach({ build, product, operation, name, every }) {
  const calls = [name];
  const counts = await countCalls({ build, operation, calls });
  const [states, failures] = [[], []];
  for (const [call, start] of counts.entries()) {
    if (call % every !== every >> 1) continue;
    const { place, signal } = await strike({ build, operation, calls, call, start, fault: "signal=KILL" });
    const { complaints, state } = await checkAfterCut(product, operation, place);
    if (signal !== "SIGKILL") complaints.push(`it ended with ${signal}`);
    states.push(state);
    if (complaints.length > 0) failures.push(`${operation.name}, ${name} ${call + 1}: ${complaints.join("; ")}`);
    await rm(place.folder, { recursive: true, force: true });
  }
  return { states, failures };
}
