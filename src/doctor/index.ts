// The ordered list of checks, and a run over them.
import type { Check, CheckContext, Finding } from "./check.js";
import { cudaCheck } from "./checks/cuda.js";
import { foldersCheck } from "./checks/folders.js";
import { machineCheck } from "./checks/machine.js";
import { nodeCheck } from "./checks/node.js";
import { pythonCheck } from "./checks/python.js";
import { runtimeCheck } from "./checks/runtime.js";

export const CHECKS: readonly Check[] = [nodeCheck, machineCheck, foldersCheck, pythonCheck, runtimeCheck, cudaCheck];

export type NamedFinding = Finding & { check: string };

/** Runs the checks one after another; a check that fails to run is a bug and passes its error on. */
export async function examine(context: CheckContext, begin: (check: string) => void): Promise<NamedFinding[]> {
  const findings: NamedFinding[] = [];
  for (const check of CHECKS) {
    begin(check.name);
    for (const finding of await check.run(context)) findings.push({ check: check.name, ...finding });
  }
  return findings;
}
