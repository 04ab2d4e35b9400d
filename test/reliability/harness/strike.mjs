// Hits exactly the n-th call on a file of an operation. The event loop writes too, not equally often every time, so a strike that went astray is aimed again.
import { rm } from "node:fs/promises";
import { fileCalls, parseTrace } from "./trace.mjs";
import { runTraced } from "./traced.mjs";

/** On a busy machine the event loop writes more or less often in nearly every run. */
const MOST_ATTEMPTS = 100;

/** Which of these calls an undisturbed run makes at all. */
export async function namesUsed({ build, operation, calls }) {
  const place = await operation.trial();
  const { trace } = await runTraced({ build, operation: operation.name, place, calls });
  await rm(place.folder, { recursive: true, force: true });
  const used = new Set(parseTrace(trace).flatMap(({ wake, name }) => (wake ? [] : [name])));
  return calls.filter((name) => used.has(name));
}

/** How many calls of this name on files an undisturbed run makes, and at which counts of strace they are. Strace counts each name by itself, so `calls` is one name. */
export async function countCalls({ build, operation, calls }) {
  const place = await operation.trial();
  const { trace, code, result, complaints } = await runTraced({ build, operation: operation.name, place, calls });
  if (code !== 0) throw new Error(`${operation.name} fails without any fault: ${JSON.stringify(result)} ${complaints}`);
  await rm(place.folder, { recursive: true, force: true });
  return parseTrace(trace).flatMap(({ wake }, index) => (wake ? [] : [index + 1]));
}

/**
 * Runs an operation with a fault at one call.
 * @param call which call on a file, from 0. @param start where strace counted it in `countCalls`. @param fault `signal=KILL` or `error=ENOSPC`.
 * @returns the place in which it happened, and how the child ended.
 */
export async function strike({ build, operation, calls, call, start, fault }) {
  let position = start;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const place = await operation.trial();
    const inject = `inject=${calls.map((name) => `?${name}`).join()}:${fault}:when=${position}`;
    const run = await runTraced({ build, operation: operation.name, place, calls, inject });
    const struck = parseTrace(run.trace)[position - 1];
    const before = fileCalls(
      run.trace
        .split("\n")
        .slice(0, position - 1)
        .join("\n"),
      calls,
    ).length;
    if (struck !== undefined && !struck.wake && before === call) return { place, struck, ...run };
    await rm(place.folder, { recursive: true, force: true });
    position += before > call ? -1 : 1;
  }
  throw new Error(`${operation.name}: call ${call} of ${calls[0]} could not be hit`);
}
